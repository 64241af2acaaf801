import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { isDigest } from '../../src/base/digest.ts'
import { contentTag } from '../../src/image/content-key.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { ActionResult } from '../support/action-rig.ts'
import { type ActionScene, createScene } from '../support/action-scene.ts'
import { addFakeIndex } from '../support/fake-images.ts'

let scene: ActionScene
beforeEach(async () => {
  scene = await createScene()
})
afterEach(() => scene.close())

/** The check as a job runs it: main step, then post step. */
async function check(inputs: Record<string, string>, env = scene.cache.env()): Promise<ActionResult> {
  const main = await scene.rig.check({ inputs, env })
  const post = await scene.rig.post(main, { inputs: {}, env })
  return { ...main, annotations: [...main.annotations, ...post.annotations] }
}

/** The content key that the build action comes to; its image is gone again. */
async function contentKey(more: Record<string, string> = {}): Promise<string> {
  await scene.builder()
  const result = await scene.rig.main({ inputs: scene.inputs({ check: 'off', ...more }), env: scene.cache.env() })
  scene.lost()
  return result.outputs.get('content-key') ?? ''
}

function push(key: string): void {
  if (!isDigest(key)) throw new Error('there is no content key')
  scene.registry.addManifest('team/app', contentTag(key), OCI_MANIFEST, scene.registry.manifest('team/app', 'seed'))
}

// Every step is a process of its own.
jest.setTimeout(60_000)

describe('the check action, for a build', () => {
  test('says that the image is missing, with the content key that the build will have', async () => {
    const result = await check(scene.inputs())
    expect(result.exitCode).toBe(0)
    expect(Object.fromEntries(result.outputs)).toEqual({
      exists: 'false',
      digest: '',
      'missing-platforms': '',
      'content-key': await contentKey(),
      reason: `not in ${scene.repository}`,
      'platforms-to-build': '[]',
      'content-tags': '',
      results: expect.stringContaining('"outcome":"missing"'),
    })
    expect(result.annotations).toEqual([])
    expect(result.summary).toContain('missing')
    expect(scene.cache.entries()).toEqual([])
  })

  test('finds the image, records it, and the next check asks the cache alone', async () => {
    push(await contentKey())
    const first = await check(scene.inputs())
    expect([first.outputs.get('exists'), first.outputs.get('digest')]).toEqual(['true', scene.image])
    expect(scene.cache.entries()).toHaveLength(1)

    const before = { heads: scene.registry.count('HEAD manifests'), cache: scene.cache.counts() }
    const second = await check(scene.inputs())
    expect(second.outputs.get('digest')).toBe(scene.image)
    expect(second.outputs.get('reason')).toMatch(/^a record of \d+ s ago$/)
    const { GetCacheEntryDownloadURL, download } = scene.cache.counts()
    expect(GetCacheEntryDownloadURL - before.cache.GetCacheEntryDownloadURL).toBe(1)
    expect(download - before.cache.download).toBe(0)
    // The base's digest alone.
    expect(scene.registry.count('HEAD manifests') - before.heads).toBe(1)
  })

  test('shares its records with the build', async () => {
    push(await contentKey())
    await check(scene.inputs())
    const before = scene.registry.requests.length
    const built = await scene.rig.main({ inputs: scene.inputs(), env: scene.cache.env() })
    expect(built.outputs.get('skipped')).toBe('true')
    // The base's digest, the manifest, the tag; no question whether the image is there. The greeting that asks how to
    // log in goes beside the first.
    const asked = scene.registry.kinds.slice(before).filter((kind) => kind !== 'GET other')
    expect(asked).toEqual(['HEAD manifests', 'GET manifests', 'PUT manifests'])
  })

  test('is missing while one of its repositories lacks it', async () => {
    const tags = `${scene.repository}:v1,${scene.registry.host}/team/other:v1`
    push(await contentKey({ tags }))
    const result = await check(scene.inputs({ tags }))
    expect(result.outputs.get('exists')).toBe('false')
    expect(result.outputs.get('reason')).toBe(`only in ${scene.repository}`)
  })
})

describe('the check action, for each platform', () => {
  const each = (more: Record<string, string> = {}): Record<string, string> =>
    scene.inputs({ 'each-platform': 'true', platforms: 'linux/amd64,linux/arm64', ...more })

  test('says which ones a matrix has to build, and by which tags all are found afterwards', async () => {
    const keys = [await contentKey({ platforms: 'linux/amd64' }), await contentKey({ platforms: 'linux/arm64' })]
    const tags = keys.map((key) => (isDigest(key) ? contentTag(key) : ''))
    addFakeIndex(scene.registry, 'team/app', tags[1] ?? '', { platforms: ['linux/arm64'] })
    const { outputs } = await check(each())
    expect(outputs.get('platforms-to-build')).toBe('["linux/amd64"]')
    expect(outputs.get('content-tags')).toBe(tags.join('\n'))
    expect([outputs.get('exists'), outputs.get('digest')]).toEqual(['false', ''])
  })

  test.each([{ force: 'true' }, { 'no-cache': 'true' }, { check: 'off' }, { 'no-cache-filters': 'run' }])(
    'has all of them built with %j',
    async (wish) => {
      const key = await contentKey({ platforms: 'linux/amd64', ...wish })
      if (!isDigest(key)) throw new Error('there is no content key')
      addFakeIndex(scene.registry, 'team/app', contentTag(key), { platforms: ['linux/amd64'] })
      const { outputs } = await check(each(wish))
      expect(outputs.get('platforms-to-build')).toBe('["linux/amd64","linux/arm64"]')
    },
  )

  test('has them built when nobody can tell whether they exist', async () => {
    scene.registry.fail('HEAD manifests', { kind: 'status', status: 403, code: 'DENIED' })
    const { outputs } = await check(each())
    expect(outputs.get('platforms-to-build')).toBe('["linux/amd64","linux/arm64"]')
  })

  test('wants to know which', async () => {
    const { annotations } = await check(scene.inputs({ 'each-platform': 'true', images: 'app:1' }))
    expect(annotations[0]?.message).toMatch(/each-platform: "true" is for the image of a build.*platforms: "" is empty/)
  })
})

describe('the check action, for images by name', () => {
  const platforms = 'linux/amd64,linux/arm/v7'

  test('answers for all of them together', async () => {
    const digest = addFakeIndex(scene.registry, 'team/multi', 'v1', { platforms: platforms.split(','), attested: true })
    const images = [`${scene.registry.host}/team/multi:v1`, `${scene.repository}:gone`]
    const one = await check({ images: images[0] ?? '', platforms })
    expect([one.outputs.get('exists'), one.outputs.get('digest')]).toEqual(['true', digest])
    const both = await check({ images: images.join('\n') })
    expect([both.outputs.get('exists'), both.outputs.get('digest')]).toEqual(['false', ''])
    expect(JSON.parse(both.outputs.get('results') ?? '')).toEqual([
      expect.objectContaining({ image: images[0], outcome: 'found', digest }),
      expect.objectContaining({ image: images[1], outcome: 'missing', digest: null }),
    ])
  })

  test('names the platforms that are missing', async () => {
    addFakeIndex(scene.registry, 'team/multi', 'v1', { platforms: ['linux/amd64'] })
    const result = await check({
      images: `${scene.registry.host}/team/multi:v1`,
      platforms: `${platforms},linux/arm64`,
    })
    expect(result.outputs.get('exists')).toBe('false')
    expect(result.outputs.get('missing-platforms')).toBe('linux/arm/v7,linux/arm64')
  })

  test('keeps no record of a tag that may move, and one of a digest', async () => {
    await check({ images: `${scene.repository}:seed` })
    expect(scene.cache.entries()).toEqual([])
    await check({ images: `${scene.repository}@${scene.image}` })
    expect(scene.cache.entries()).toHaveLength(1)
    const before = scene.registry.requests.length
    expect((await check({ images: `${scene.repository}@${scene.image}` })).outputs.get('exists')).toBe('true')
    expect(scene.registry.requests.length).toBe(before)
  })

  test('remembers briefly that one is missing, when asked to', async () => {
    const images = `${scene.repository}@sha256:${'0'.repeat(64)}`
    await check({ images })
    expect(scene.cache.entries()).toEqual([])
    await check({ images, 'check-negative-ttl': '5m' })
    const before = scene.registry.requests.length
    const result = await check({ images, 'check-negative-ttl': '5m' })
    expect(result.outputs.get('exists')).toBe('false')
    expect(result.outputs.get('reason')).toMatch(/^it was not there \d+ s ago, says a record$/)
    expect(scene.registry.requests.length).toBe(before)
    // Who did not ask for it doesn't believe it.
    await check({ images })
    expect(scene.registry.requests.length).toBe(before + 1)
  })
})

describe('the check action, when nobody can tell', () => {
  const images = (): string => `${scene.repository}:v1`
  beforeEach(() => scene.registry.fail('HEAD manifests', { kind: 'status', status: 403, code: 'DENIED' }))

  test('says unknown, with a warning', async () => {
    const result = await check({ images: images() })
    expect([result.exitCode, result.outputs.get('exists')]).toEqual([0, 'unknown'])
    expect(result.annotations).toEqual([
      {
        level: 'warning',
        message: expect.stringMatching(/^the registry could not be asked for the image: .* was answered 403/),
      },
    ])
  })

  test('fails when that is wanted', async () => {
    const result = await check({ images: images(), 'check-unknown': 'fail' })
    expect(result.exitCode).toBe(1)
    expect(result.annotations[0]?.message).toMatch(/^E_CHECK: nobody can tell whether .*team\/app:v1 exists/)
    expect(result.outputs.size).toBe(0)
  })

  test('assumes that it exists when that is wanted', async () => {
    const result = await check({ images: images(), 'check-unknown': 'assume-exists' })
    expect([result.exitCode, result.outputs.get('exists')]).toEqual([0, 'true'])
    expect(result.outputs.get('reason')).toMatch(/^assumed to exist, /)
  })
})

test('mistakes of the check are reported together', async () => {
  const result = await check({ images: 'Upper/Case', store: 's4' })
  expect(result.exitCode).toBe(1)
  expect(result.annotations[0]?.message).toMatch(/^E_INPUT: store: "s4" .*images: "Upper\/Case"/)
})
