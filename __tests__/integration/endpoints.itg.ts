import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { rankEndpoints } from '../../src/buildx/rank-endpoints.ts'
import { runningDaemon } from '../../tools/services/daemon.ts'
import { type ServiceSet, startServices } from '../../tools/services/service-set.ts'
import { until } from '../support/action-scene.ts'
import { type JobRun, LineRig } from '../support/line-rig.ts'
import { digestOfTag } from '../support/oci-image.ts'

const minutes = 60_000
jest.setTimeout(3 * minutes)
let rig: LineRig
/** Three daemons by their addresses. */
let daemons: ReadonlyMap<string, ServiceSet>

beforeAll(async () => {
  rig = await LineRig.create()
  const states = [0, 1, 2].map((n) => `${rig.services.stateDir}-${n}`)
  const sets = await Promise.all(states.map((stateDir) => startServices({ stateDir, registry: false })))
  daemons = new Map(sets.map((set) => [`unix://${join(set.stateDir, 'buildkitd-v0.33.1.sock')}`, set]))
}, 5 * minutes)
afterAll(async () => {
  await Promise.all([...daemons.values()].map((set) => set.stop()))
  await rig.close()
}, minutes)

function inputs(tag: string): Record<string, string> {
  const endpoints = [...daemons.keys()].join('\n')
  return rig.inputs(`routed:${tag}`, { endpoints, check: 'off', provenance: 'false', 'optimize-layers': 'false' })
}

/** Endpoints in the order in which this image asks them. */
function ranked(): readonly string[] {
  return rankEndpoints([...daemons.keys()], JSON.stringify([[`${rig.registry}/routed`], [], '']))
}

async function kill(endpoint: string): Promise<void> {
  const daemon = await runningDaemon(daemons.get(endpoint)?.stateDir ?? '', 'buildkitd-v0.33.1')
  if (daemon === undefined) throw new Error(`${endpoint} is not running`)
  process.kill(daemon.pid, 'SIGKILL')
}

/** Whether some process of this machine has these words, a zero byte between them, in its command. */
async function isRunning(words: string): Promise<boolean> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const commands = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')))
  return commands.some((command) => command.startsWith(words))
}

function warnings({ annotations }: JobRun): readonly string[] {
  return annotations.flatMap(({ level, message }) => (level === 'warning' ? [message] : []))
}

describe('three remote builders, of which', () => {
  test('the same one builds an image again, with what it has, and no builder is left in buildx', async () => {
    await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nRUN echo one > /one\n')
    const first = await rig.run({ ...inputs('one'), 'cache-from': 'off', 'cache-to': 'off' })
    expect([first.exitCode, warnings(first)]).toEqual([0, []])
    const second = await rig.run({ ...inputs('two'), 'cache-from': 'off', 'cache-to': 'off' })
    expect(second.stdout).toMatch(/: 0 steps ran/)
    expect(second.stdout).toContain('remote, BuildKit 0.33.1')
    const { stdout } = await rig.buildx('ls', '--format', '{{.Name}}')
    expect(stdout).not.toContain('image-cache-')
  })

  test('one is killed in the middle of a build: another one builds it', async () => {
    const [home = ''] = ranked()
    await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nRUN sleep 6.25; echo two > /two\n')
    const running = rig.run(inputs('killed'))
    await until(() => isRunning('sleep\u00006.25'))
    await kill(home)
    const run = await running
    expect(run.exitCode).toBe(0)
    expect(warnings(run)).toEqual([expect.stringMatching(/was lost during the build, .* builds instead/)])
    expect(await digestOfTag(`${rig.services.registry}/routed`, 'killed')).toBe(run.outputs.get('digest'))
  })

  test('one is not there from the start: the next one builds', async () => {
    const run = await rig.run(inputs('next'))
    expect([run.exitCode, warnings(run)]).toEqual([0, [expect.stringMatching(/does not answer.*builds instead/)]])
  })

  test('none is left: the error names each', async () => {
    for (const endpoint of ranked().slice(1)) await kill(endpoint)
    const run = await rig.run(inputs('none'))
    const [error] = run.annotations.filter(({ level }) => level === 'error')
    expect(error?.message).toMatch(/^E_BUILDER: no builder of endpoints answers/)
    for (const endpoint of daemons.keys()) expect(error?.message).toContain(endpoint)
    expect(run.exitCode).toBe(1)
  })
})
