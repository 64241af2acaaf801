import { readdir } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { ActionResult } from '../support/action-rig.ts'
import { LineRig } from '../support/line-rig.ts'
import { digestOfTag } from '../support/oci-image.ts'

const minutes = 60_000
let rig: LineRig

beforeAll(async () => {
  rig = await LineRig.create()
}, 5 * minutes)
afterEach(() => {
  rig.standIn = undefined
})
afterAll(() => rig.close(), minutes)

interface Job {
  readonly main: ActionResult
  readonly post: ActionResult
}

/** Runs both steps of a job that publishes in its post step. */
async function job(name: string, command: string, more: Readonly<Record<string, string>> = {}): Promise<Job> {
  await rig.workspace.write('Dockerfile', `FROM python:3.11-slim\nRUN ${command}\n`)
  const cache = `type=registry,ref=${rig.registry}/${name}-cache:v1`
  const given = { publish: 'post', 'cache-to': cache, 'cache-from': 'off', 'optimize-layers': 'false', ...more }
  const step = { inputs: rig.inputs(`${name}:v1`, given), env: { ...rig.env(), ...rig.cache.env() } }
  const main = await rig.workspace.main(step)
  return { main, post: await rig.workspace.post(main, step) }
}

function cacheDigest(name: string): Promise<string | undefined> {
  return digestOfTag(`${rig.services.registry}/${name}-cache`, 'v1')
}

/** Answers in the place of the registry to all that is written to caches. */
function refuseCaches(answer: 'hang' | 403): void {
  rig.standIn = (method, path) => {
    if (!path.includes('-cache/') || !/POST|PUT|PATCH/.test(method)) return undefined
    return answer === 'hang' ? 'hang' : { status: answer, headers: { 'content-type': 'text/plain' }, body: 'no' }
  }
}

/** An image that is there and a job that goes on, whatever became of the cache. */
async function expectImage({ main, post }: Job, name: string): Promise<void> {
  expect([main.exitCode, post.exitCode]).toEqual([0, 0])
  expect(main.outputs.get('digest')).toBe(await digestOfTag(`${rig.services.registry}/${name}`, 'v1'))
  expect((await readdir(rig.workspace.temp)).filter((left) => left !== 'image-cache')).toEqual([])
}

describe('publish: post', () => {
  test(
    'pushes the image in the main step, and the post step has the cache',
    async () => {
      const done = await job('late', 'echo late > /late')
      await expectImage(done, 'late')
      expect(done.main.summary).toContain('goes on; the post step waits for it')
      expect(done.post.stdout).toMatch(/export registry .*\/late-cache:v1: exported/)
      expect(await cacheDigest('late')).toMatch(/^sha256:/)
      expect([...done.main.annotations, ...done.post.annotations]).toEqual([])
    },
    minutes,
  )

  test(
    'imports what the post step exported: nothing runs on an emptied builder',
    async () => {
      await rig.services.emptyBuilder()
      const from = { 'cache-from': `type=registry,ref=${rig.registry}/late-cache:v1`, force: 'true' }
      const done = await job('late', 'echo late > /late', from)
      await expectImage(done, 'late')
      expect(done.main.stdout).toMatch(/: 0 steps ran/)
    },
    minutes,
  )

  test(
    'with a cache that is refused is a warning of the post step',
    async () => {
      refuseCaches(403)
      const done = await job('refused', 'echo refused > /refused')
      await expectImage(done, 'refused')
      expect(done.post.annotations).toMatchObject([
        { level: 'warning', message: expect.stringMatching(/^cache export failed, the image is not affected: .*403/) },
      ])
    },
    minutes,
  )

  test(
    'with a cache that hangs is ended after cache-timeout',
    async () => {
      refuseCaches('hang')
      const done = await job('slow', 'echo slow > /slow', { 'cache-timeout': '2s' })
      await expectImage(done, 'slow')
      expect(done.post.annotations).toMatchObject([
        { level: 'warning', message: expect.stringMatching(/was not done 2 s after all other steps/) },
      ])
      expect(await cacheDigest('slow')).toBeUndefined()
    },
    minutes,
  )

  test(
    'of a build that fails leaves no export behind',
    async () => {
      const { main, post } = await job('failed', 'echo begun && sleep 1 && exit 3')
      expect([main.exitCode, post.exitCode]).toEqual([1, 0])
      expect(post.annotations).toEqual([])
      expect(await cacheDigest('failed')).toBeUndefined()
      expect((await readdir(rig.workspace.temp)).filter((left) => left !== 'image-cache')).toEqual([])
    },
    minutes,
  )
})
