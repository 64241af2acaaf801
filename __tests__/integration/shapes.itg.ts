import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { ensureUv } from '../../tools/services/ensure-uv.ts'
import { machineSettings } from '../../tools/services/machine-settings.ts'
import { BothWays } from '../support/both-ways.ts'
import { type DockerfileShape, SHAPES } from '../support/dockerfile-shapes.ts'
import { type CommandRun, LineRig } from '../support/line-rig.ts'
import { pipenvProject, poetryProject } from '../support/locked-projects.ts'
import { dependencyLayers, readImage } from '../support/oci-image.ts'

const minutes = 60_000
let rig: LineRig
let ways: BothWays
let uv: string

beforeAll(async () => {
  rig = await LineRig.create()
  ways = new BothWays(rig)
  uv = join(await ensureUv(), 'uv')
  await makePlainBase()
}, 10 * minutes)
afterAll(() => rig.close(), minutes)

interface Built {
  readonly report: {
    readonly dockerfileSteps: readonly { readonly line: number; readonly what: string; readonly reason: string }[]
  }
}

describe('built as it is written and with layers, an image is the same', () => {
  test.each(Object.entries(SHAPES))(
    '%s',
    async (_, shape) => {
      const name = `shape-${Object.values(SHAPES).indexOf(shape)}`
      await writeShape(name, shape)
      succeeded(await ways.asWritten(name))
      const built: Built = JSON.parse(succeeded(await ways.withLayers(name, shape.inputs)))
      expect(stepsOf(shape, built)).toEqual(shape.steps)
      const image = await readImage(`${rig.services.registry}/${name}`, 'layers')
      expect(dependencyLayers(image).length > 0).toBe(shape.layers)
      expect(await ways.differences(name)).toEqual({ files: [], config: [] })
    },
    2 * minutes,
  )
})

/** The files of the Python image, and nothing in its configuration that tells of them. */
async function makePlainBase(): Promise<void> {
  const { UV_DEFAULT_INDEX: index, ...machine } = machineSettings().env
  // This machine's index may stand in a settings file of pip, which would say something of the image.
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', PIP_INDEX_URL: index, ...machine }
  const lines = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [`ENV ${name}="${value}"\n`],
  )
  const without = 'FROM python:3.11-slim AS python\nRUN rm -f /etc/pip.conf\n'
  await rig.workspace.write('plain/Dockerfile', `${without}FROM scratch\nCOPY --from=python / /\n${lines.join('')}`)
  const output = `type=image,push=true,name=${rig.registry}/base/plain:1`
  const [context = ''] = ways.contexts
  const { exitCode, stderr } = await rig.buildx('build', '--build-context', context, '--output', output, 'plain')
  if (exitCode !== 0) throw new Error(stderr)
}

async function writeShape(name: string, { dockerfile, files = {}, lock }: DockerfileShape): Promise<void> {
  const given = lock === undefined || lock === 'uv' ? {} : await lockedProject(lock)
  for (const [path, text] of Object.entries({ ...files, ...given })) await rig.workspace.write(`${name}/${path}`, text)
  await rig.workspace.write(`${name}/Dockerfile`, dockerfile)
  const cwd = join(rig.workspace.workspace, name)
  if (lock !== undefined) await writeFile(join(cwd, '.dockerignore'), 'Dockerfile\n.dockerignore\n')
  if (lock === 'uv') await lockWithUv(cwd)
}

async function lockedProject(
  tool: Exclude<NonNullable<DockerfileShape['lock']>, 'uv'>,
): Promise<Readonly<Record<string, string>>> {
  const project = '[project]\nname = "index"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["six"]\n'
  await rig.workspace.write('index/pyproject.toml', project)
  const folder = join(rig.workspace.workspace, 'index')
  await lockWithUv(folder)
  // The index that this machine has: what the image is built from must name it.
  const [, index = ''] = /registry = "([^"]+)"/.exec(await readFile(join(folder, 'uv.lock'), 'utf8')) ?? []
  if (tool === 'pylock') {
    const text = await runUv(['export', '--quiet', '--format', 'pylock.toml', '--no-emit-project'], folder)
    // As some lockers write it: with the places of the wheels alone.
    return { 'pylock.toml': text.replace(/^index = .*\n/gm, '') }
  }
  return tool === 'pipenv' ? pipenvProject(index) : poetryProject(index, tool === 'poetry-package')
}

async function lockWithUv(cwd: string): Promise<void> {
  await runUv(['lock', '--quiet'], cwd)
}

async function runUv(args: readonly string[], cwd: string): Promise<string> {
  const env = { ...machineSettings().env, PATH: process.env.PATH ?? '', UV_PYTHON_DOWNLOADS: 'never', NO_COLOR: '1' }
  const { exitCode, stdout, stderr } = await new SpawnExec().run(uv, args, { cwd, env })
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}

function succeeded({ exitCode, stdout, stderr }: CommandRun): string {
  if (exitCode !== 0) throw new Error(stderr)
  return stdout
}

/** Of each RUN that something is said of, in the order of the file. */
function stepsOf({ dockerfile }: DockerfileShape, { report }: Built): readonly string[] {
  const lines = dockerfile.split('\n')
  const isRun = (line: number): boolean => /^RUN/.test(lines[line - 1] ?? '')
  return report.dockerfileSteps
    .filter(({ line, what }) => what !== 'linked' && isRun(line))
    .map(({ what, reason }) => (what === 'left' ? (reason.split(':')[0] ?? '') : what))
}
