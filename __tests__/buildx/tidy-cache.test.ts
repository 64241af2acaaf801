import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { tidyCache } from '../../src/buildx/tidy-cache.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const CONFIG = 'application/vnd.buildkit.cacheconfig.v0'
const TIME = '2026-01-01T00:00:00Z'
const registry = new HttpRegistry({ sleep: async () => undefined })
let fake: RegistryFake

beforeEach(async () => {
  fake = await startRegistryFake()
})

afterEach(async () => {
  await fake.close()
})

const GOOD = { layers: [{ layer: 0, createdAt: TIME }], digest: 'with a result' }
const DANGLING = { digest: 'dangling', inputs: [[{ link: 0 }]] }

/** Puts a cache as BuildKit does: as an image manifest, or in the older form as an index. */
function addCache(records: readonly object[], form: 'manifest' | 'index' | 'docker-index' = 'manifest') {
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
    ...fake.addBlob('app', 'layer'),
    annotations: { kept: 'as it is' },
  }
  const json = JSON.stringify({ layers: [{ blob: layer.digest, parent: -1 }], records })
  const config = { mediaType: CONFIG, ...fake.addBlob('app', json) }
  const index = form === 'docker-index' ? DOCKER_INDEX : OCI_INDEX
  const content =
    form === 'manifest'
      ? { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] }
      : { schemaVersion: 2, mediaType: index, manifests: [layer, config] }
  return {
    content,
    config,
    digest: fake.addManifest('app', 'cache', form === 'manifest' ? OCI_MANIFEST : index, content),
  }
}

const at = () => ({ registry: fake.host, path: 'app', tag: 'cache' })

function blobJson(digest: string): unknown {
  return JSON.parse(new TextDecoder().decode(fake.blob('app', digest)))
}

describe('a cache with dangling records', () => {
  test('gets a new config under the same tag, its layers untouched', async () => {
    const { content } = addCache([GOOD, DANGLING])
    const result = await tidyCache(registry, at())
    const manifest = fake.manifest('app', 'cache')
    expect(result).toEqual({ kind: 'tidied', dropped: 1, kept: 1, digest: fake.digestOfTag('app', 'cache') })
    expect(manifest).toEqual({
      ...content,
      config: { mediaType: CONFIG, digest: expect.any(String), size: expect.any(Number) },
    })
    const { config } = manifest as { config: { digest: string; size: number } }
    expect(blobJson(config.digest)).toMatchObject({ records: [GOOD] })
    expect(fake.blob('app', config.digest)).toHaveLength(config.size)
  })

  test('costs seven small requests, the tag moved by the last', async () => {
    addCache([GOOD, DANGLING])
    await tidyCache(registry, at())
    expect(fake.kinds).toEqual([
      'GET manifests',
      'GET blobs',
      'HEAD blobs',
      'POST uploads',
      'PUT uploads',
      'HEAD manifests',
      'PUT manifests',
    ])
  })

  test.each(['index', 'docker-index'] as const)('is tidied in the older form, too: %s', async (form) => {
    const { content, config } = addCache([GOOD, DANGLING], form)
    expect(await tidyCache(registry, at())).toMatchObject({ kind: 'tidied', dropped: 1, kept: 1 })
    const manifest = fake.manifest('app', 'cache') as { mediaType: string; manifests: { digest: string }[] }
    expect(manifest.mediaType).toBe(content.mediaType)
    expect(manifest.manifests[0]).toEqual(content.manifests?.[0])
    expect(manifest.manifests[1]?.digest).not.toBe(config.digest)
  })

  test('is clean the second time', async () => {
    addCache([GOOD, DANGLING])
    await tidyCache(registry, at())
    expect(await tidyCache(registry, at())).toEqual({ kind: 'clean' })
  })
})

test('a clean cache is read in two requests and not written', async () => {
  addCache([GOOD])
  expect(await tidyCache(registry, at())).toEqual({ kind: 'clean' })
  expect(fake.kinds).toEqual(['GET manifests', 'GET blobs'])
})

describe('another job that writes the same cache', () => {
  test('once, is not overwritten: its cache is tidied instead', async () => {
    addCache([GOOD, DANGLING])
    const theirs = { ...GOOD, digest: 'theirs' }
    fake.fail('HEAD manifests', { kind: 'meanwhile', act: () => void addCache([theirs, DANGLING, DANGLING]) })
    expect(await tidyCache(registry, at())).toMatchObject({ kind: 'tidied', dropped: 2, kept: 1 })
    const { config } = fake.manifest('app', 'cache') as { config: { digest: string } }
    expect(blobJson(config.digest)).toMatchObject({ records: [theirs] })
  })

  test('again and again, has its way', async () => {
    addCache([GOOD, DANGLING])
    for (const name of ['second', 'third']) {
      fake.fail('HEAD manifests', {
        kind: 'meanwhile',
        act: () => void addCache([{ ...GOOD, digest: name }, DANGLING]),
      })
    }
    expect(await tidyCache(registry, at())).toEqual({
      kind: 'left',
      reason: 'another job keeps writing the same cache',
    })
    expect(fake.count('PUT manifests')).toBe(0)
  })
})

describe('a cache is left as it is', () => {
  test('when there is none', async () => {
    expect(await tidyCache(registry, at())).toEqual({ kind: 'left', reason: 'there is no cache under this tag' })
  })

  test('when an image stands under the tag', async () => {
    const config = { mediaType: 'application/vnd.oci.image.config.v1+json', ...fake.addBlob('app', '{}') }
    fake.addManifest('app', 'cache', OCI_MANIFEST, { schemaVersion: 2, config, layers: [] })
    expect(await tidyCache(registry, at())).toMatchObject({
      kind: 'left',
      reason: expect.stringContaining('no BuildKit cache'),
    })
  })

  test('when its format is newer than we know', async () => {
    addCache([GOOD, { ...DANGLING, expires: TIME }])
    expect(await tidyCache(registry, at())).toMatchObject({ kind: 'left', reason: expect.stringContaining('record 1') })
    expect(fake.count('PUT manifests')).toBe(0)
  })

  test('when its config is gone', async () => {
    const { config } = addCache([GOOD, DANGLING])
    fake.removeBlob('app', config.digest)
    expect(await tidyCache(registry, at())).toMatchObject({ kind: 'left', reason: "the cache's config is gone" })
  })

  test.each(['GET manifests', 'GET blobs', 'POST uploads', 'PUT uploads', 'HEAD manifests', 'PUT manifests'] as const)(
    'when the registry refuses %s, and the tag has not moved',
    async (kind) => {
      const { digest } = addCache([GOOD, DANGLING])
      fake.fail(kind, { kind: 'status', status: 403, code: 'DENIED' })
      expect(await tidyCache(registry, at())).toMatchObject({
        kind: 'left',
        reason: expect.stringContaining('was answered 403'),
      })
      expect(fake.digestOfTag('app', 'cache')).toBe(digest)
    },
  )
})
