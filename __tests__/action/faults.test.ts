import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type ActionScene, createScene, until } from '../support/action-scene.ts'

describe('the action, when it cannot build', () => {
  let scene: ActionScene
  beforeEach(async () => {
    scene = await createScene()
  })
  afterEach(() => scene.close())

  const run = (more: Record<string, string> = {}) =>
    scene.rig.main({ inputs: scene.inputs(more), env: scene.cache.env() })

  test('says that buildx is missing and how to get it', async () => {
    const result = await run()
    expect(result.exitCode).toBe(1)
    expect(result.annotations).toHaveLength(1)
    expect(result.annotations[0]?.message).toMatch(
      /^E_BUILDER: buildx is not installed.*\nInstall docker with its buildx/,
    )
    expect(result.summary).toContain('buildx is not installed')
    expect(await scene.rig.leftovers()).toEqual([])
  })

  test('says that a builder is not there, by its name', async () => {
    await scene.rig.stub(
      'buildx',
      'case "$1" in version) exit 0 ;; *) echo \'ERROR: no builder "night-shift" found\' >&2; exit 1 ;; esac\n',
    )
    const result = await run({ builder: 'night-shift' })
    expect(result.exitCode).toBe(1)
    expect(result.annotations[0]?.message).toMatch(
      /^E_BUILDER: builder night-shift does not answer: .*no builder.*found/,
    )
    expect(result.annotations[0]?.message).toContain('docker buildx create')
  })

  test.each([
    ['E_DISK_FULL', 'write /var/lib/buildkit/x: no space left on device', 'prune'],
    ['E_REGISTRY_AUTH', 'failed to push 127.0.0.1:1/a: denied: requested access to the resource is denied', 'Log in'],
    ['E_REGISTRY_AUTH', 'failed to push 127.0.0.1:1/a: unauthorized: authentication required', 'Log in'],
    ['E_REGISTRY', 'failed to do request: dial tcp 127.0.0.1:1: connect: connection refused', 'run the job again'],
    ['E_BUILDER', 'unable to connect to buildkit', 'inspect --bootstrap'],
    ['E_BUILD', 'process "/bin/sh -c false" did not complete successfully: exit code: 1', 'last lines'],
  ])('names %s from what the builder said', async (code, said, hint) => {
    const digest = `sha256:${'a'.repeat(64)}`
    const time = '2026-01-01T00:00:00Z'
    const vertex = { digest, name: '[2/2] RUN make', started: time, completed: time, error: said }
    const log = {
      vertex: digest,
      stream: 2,
      data: Buffer.from('the last words of make\n').toString('base64'),
      timestamp: time,
    }
    await scene.builder(
      `echo '${JSON.stringify({ vertexes: [vertex], logs: [log] })}' >&2; echo 'ERROR: failed to solve: x' >&2; exit 1`,
    )
    const result = await run()
    expect(result.exitCode).toBe(1)
    expect(result.annotations).toHaveLength(1)
    expect(result.annotations[0]?.message).toMatch(new RegExp(`^${code}: the build failed: `))
    expect(result.annotations[0]?.message).toContain(said)
    expect(result.annotations[0]?.message).toContain('the last words of make')
    expect(result.annotations[0]?.message).toContain(hint)
    expect(result.state.get('saves')).toBeUndefined()
    expect(await scene.rig.leftovers()).toEqual([])
  })

  test('a builder that fails without a word is a failure, too', async () => {
    await scene.builder('exit 3')
    const result = await run()
    expect(result.exitCode).toBe(1)
    expect(result.annotations[0]?.message).toContain('buildx ended with exit code 3 and said nothing')
  })

  test('a registry that refuses the question for the image is said in the summary, and the image is built', async () => {
    await scene.builder()
    scene.registry.fail('HEAD manifests', { kind: 'status', status: 403, code: 'DENIED', message: 'not yours' }, 9)
    const result = await run()
    expect(result.exitCode).toBe(0)
    expect(result.outputs.get('content-key')).toBe('')
    expect(result.annotations).toMatchObject([
      { level: 'warning', message: expect.stringMatching(/no content key, so nothing can be skipped: .*403/) },
    ])
  })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'ends the builder and clears up when the job is cancelled by %s',
    async (signal) => {
      const pids = join(scene.rig.bin, 'pids')
      await scene.builder(`sleep 300 & echo $$ $! > '${pids}'; wait`)
      const running = scene.rig.start('main', { inputs: scene.inputs(), env: scene.cache.env() })
      const read = async (): Promise<readonly number[]> =>
        (await readFile(pids, 'utf8').catch(() => '')).split(/\s+/).filter(Boolean).map(Number)
      await until(async () => (await read()).length === 2)
      expect((await read()).map(isAlive)).toEqual([true, true])
      expect(await scene.rig.leftovers()).not.toEqual([])

      process.kill(running.pid, signal)
      const result = await running.result
      expect(result.exitCode).toBe(1)
      await until(async () => !(await read()).some(isAlive))
      expect(await scene.rig.leftovers()).toEqual([])
      expect(result.annotations).toMatchObject([{ level: 'error', message: expect.stringContaining('E_CANCELLED') }])
      expect(result.summary).toContain('cancelled')
      expect(result.outputs.get('digest')).toBeUndefined()
      expect(result.outputs.get('skipped')).toBe('false')
      const post = await scene.rig.post(result, { inputs: scene.inputs(), env: scene.cache.env() })
      expect(post.exitCode).toBe(0)
      expect(scene.cache.entries()).toEqual([])
    },
  )
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
