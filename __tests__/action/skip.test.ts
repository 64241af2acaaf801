import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { isDigest } from '../../src/base/digest.ts'
import { contentTag } from '../../src/image/content-key.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { ActionResult } from '../support/action-rig.ts'
import { type ActionScene, createScene } from '../support/action-scene.ts'

describe('the action, when the image may be there already', () => {
  let scene: ActionScene
  beforeEach(async () => {
    scene = await createScene()
  })
  afterEach(() => scene.close())

  async function job(more: Record<string, string> = {}, env = scene.cache.env()): Promise<ActionResult> {
    const step = { inputs: scene.inputs(more), env }
    const main = await scene.rig.main(step)
    const post = await scene.rig.post(main, step)
    return { ...main, annotations: [...main.annotations, ...post.annotations], stdout: main.stdout + post.stdout }
  }

  test('builds once; the next job finds the record with one look-up and only puts the tags', async () => {
    await scene.builder()
    const first = await job()
    expect(first.exitCode).toBe(0)
    expect(first.outputs.get('skipped')).toBe('false')
    expect(await scene.builds()).toBe(1)

    const before = { cache: scene.cache.counts(), requests: scene.registry.kinds.length }
    const second = await job({ tags: `${scene.repository}:v2,${scene.repository}:latest` })
    expect(second.exitCode).toBe(0)
    expect(await scene.builds()).toBe(1)
    expect(second.annotations).toEqual([])
    expect(Object.fromEntries(second.outputs)).toEqual({
      digest: scene.image,
      imageid: expect.stringMatching(/^sha256:/),
      metadata: expect.stringContaining(scene.image),
      'content-key': first.outputs.get('content-key'),
      image: `${scene.repository}@${scene.image}`,
      'cache-hit': 'true',
      skipped: 'true',
      plan: '[]',
    })
    for (const tag of ['v2', 'latest']) expect(scene.registry.digestOfTag('team/app', tag)).toBe(scene.image)
    // One look-up and no download: the digest stands in the key. The base's digest, the image, its two tags.
    const { GetCacheEntryDownloadURL, download } = scene.cache.counts()
    expect(GetCacheEntryDownloadURL - before.cache.GetCacheEntryDownloadURL).toBe(1)
    expect(download - before.cache.download).toBe(0)
    expect(scene.registry.kinds.slice(before.requests)).toEqual([
      'HEAD manifests',
      'GET manifests',
      'PUT manifests',
      'PUT manifests',
    ])
    expect(second.summary).toContain('skipped')
  })

  test('another salt knows no record', async () => {
    await scene.builder()
    await job()
    const other = await job({ salt: 'other' })
    expect(other.outputs.get('skipped')).toBe('false')
    expect(other.outputs.get('content-key')).not.toBe((await job()).outputs.get('content-key'))
    expect(await scene.builds()).toBe(2)
    const keys = scene.cache.entries().map(({ key }) => key)
    expect(keys.filter((key) => key.includes('-image-'))).toHaveLength(2)
    for (const key of keys) expect(key).not.toContain('other')
  })

  test('without a record the registry is asked by the tag of the content, and the record is written then', async () => {
    await scene.builder()
    const key = (await scene.rig.main({ inputs: scene.inputs(), env: scene.cache.env() })).outputs.get('content-key')
    if (key === undefined || !isDigest(key)) throw new Error('there is no content key')
    scene.registry.addManifest('team/app', contentTag(key), OCI_MANIFEST, scene.registry.manifest('team/app', 'seed'))
    const found = await job()
    expect(found.outputs.get('skipped')).toBe('true')
    expect(found.outputs.get('digest')).toBe(scene.image)
    expect(scene.cache.entries().filter(({ key }) => key.includes('-image-'))).toHaveLength(1)
    const requests = scene.registry.count('HEAD manifests')
    expect((await job()).outputs.get('skipped')).toBe('true')
    // The base's digest alone: the record answers for the image.
    expect(scene.registry.count('HEAD manifests') - requests).toBe(1)
    expect(await scene.builds()).toBe(1)
  })

  test('a record whose image is gone is dropped with a warning, and the image is built', async () => {
    await scene.builder()
    await job()
    scene.registry.fail('GET manifests', { kind: 'status', status: 404, code: 'MANIFEST_UNKNOWN' })
    const result = await job()
    expect(result.exitCode).toBe(0)
    expect(result.outputs.get('skipped')).toBe('false')
    expect(await scene.builds()).toBe(2)
    expect(result.annotations).toMatchObject([{ level: 'warning', message: expect.stringContaining('gone') }])
  })

  test.each([
    ['force', { force: 'true' }],
    ['check off', { check: 'off' }],
    ['no-cache', { 'no-cache': 'true' }],
  ])('%s builds although there is a record', async (_, more) => {
    await scene.builder()
    await job()
    expect((await job(more)).outputs.get('skipped')).toBe('false')
    expect(await scene.builds()).toBe(2)
  })

  test('check-ttl 0 believes no record and asks the registry', async () => {
    await scene.builder()
    await job()
    const lookUps = scene.cache.counts().GetCacheEntryDownloadURL
    expect((await job({ 'check-ttl': '0' })).outputs.get('skipped')).toBe('false')
    expect(scene.cache.counts().GetCacheEntryDownloadURL - lookUps).toBe(0)
  })

  test('a changed file, build argument of the Dockerfile or base image is another content', async () => {
    await scene.builder()
    await job()
    const keyNow = async (more = {}): Promise<string> => {
      const result = await scene.rig.main({ inputs: scene.inputs(more), env: scene.cache.env() })
      return result.outputs.get('content-key') ?? ''
    }
    const keys = [await keyNow()]
    await scene.rig.write('app.py', 'print("changed")\n')
    keys.push(await keyNow())
    keys.push(await keyNow({ target: '', compression: 'gzip' }))
    const base = scene.registry.manifest('base/python', '3.11')
    scene.registry.addManifest('base/python', '3.11', OCI_MANIFEST, { ...Object(base), annotations: { patched: '1' } })
    keys.push(await keyNow())
    expect(new Set(keys).size).toBe(4)
    // An argument that the Dockerfile does not declare changes nothing.
    expect(await keyNow({ 'build-args': 'UNUSED=1' })).toBe(keys[3])
    // Six runs of the action one after another: more than the usual time on a busy machine.
  }, 60_000)

  test('a job that may only read the cache says so once and tries no save', async () => {
    await scene.builder()
    const result = await job({}, scene.cache.env({ readOnly: true }))
    expect(result.exitCode).toBe(0)
    expect(result.annotations).toEqual([{ level: 'warning', message: expect.stringContaining('read-only') }])
    expect(scene.cache.counts().CreateCacheEntry).toBe(0)
  })
})

describe('the action, when GitHub’s cache has trouble', () => {
  const slowest = 60_000

  test.concurrent.each([
    ['is down', {}, () => undefined],
    ['answers 500', {}, (scene: ActionScene) => scene.cache.failNext('GetCacheEntryDownloadURL', 500, 99)],
    ['gives no answer', {}, (scene: ActionScene) => scene.cache.failNext('GetCacheEntryDownloadURL', 'hang', 99)],
    ['breaks connections', {}, (scene: ActionScene) => scene.cache.failNext('GetCacheEntryDownloadURL', 'reset', 99)],
  ] as const)(
    'the image is built all the same when it %s',
    async (trouble, options, begin) => {
      const scene = await createScene(options)
      try {
        await scene.builder()
        const env = scene.cache.env()
        if (trouble === 'is down') await scene.cache.close()
        begin(scene)
        const result = await scene.rig.main({ inputs: scene.inputs(), env })
        expect(result.exitCode).toBe(0)
        expect(result.outputs.get('digest')).toBe(scene.image)
        // Not a miss: it is said that the cache could not tell.
        expect(result.summary).toContain('actions store: ')
      } finally {
        await scene.close()
      }
    },
    slowest,
  )

  test(
    'a slow cache is waited for',
    async () => {
      const scene = await createScene({ cache: { latency: 700 } })
      try {
        await scene.builder()
        const step = { inputs: scene.inputs(), env: scene.cache.env() }
        await scene.rig.post(await scene.rig.main(step), step)
        expect((await scene.rig.main(step)).outputs.get('skipped')).toBe('true')
      } finally {
        await scene.close()
      }
    },
    slowest,
  )

  test(
    'a record that cannot be saved is a warning after a good build',
    async () => {
      const scene = await createScene()
      try {
        await scene.builder()
        const step = { inputs: scene.inputs(), env: scene.cache.env() }
        const main = await scene.rig.main(step)
        scene.cache.failNext('CreateCacheEntry', 400, 99)
        const post = await scene.rig.post(main, step)
        expect([main.exitCode, post.exitCode]).toEqual([0, 0])
        expect(post.annotations).toEqual([
          { level: 'warning', message: expect.stringMatching(/^a record was not kept: actions store: /) },
        ])
      } finally {
        await scene.close()
      }
    },
    slowest,
  )
})
