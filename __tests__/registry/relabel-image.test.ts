import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Digest } from '../../src/base/digest.ts'
import { parseAnnotation } from '../../src/registry/annotation.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { type ImageMarks, relabelImage } from '../../src/registry/relabel-image.ts'
import { addFakeImage, addFakeIndex } from '../support/fake-images.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const registry = new HttpRegistry({ sleep: async () => undefined })
const REVISION = 'org.opencontainers.image.revision'
let fake: RegistryFake
beforeEach(async () => {
  fake = await startRegistryFake()
})
afterEach(() => fake.close())

function marks(labels: Readonly<Record<string, string>>, ...annotations: readonly string[]): ImageMarks {
  const parsed = annotations.map(parseAnnotation)
  return {
    labels: new Map(Object.entries(labels)),
    annotations: parsed.filter((annotation) => typeof annotation !== 'string'),
  }
}

const relabel = (digest: Digest, wanted: ImageMarks) =>
  relabelImage(registry, { registry: fake.host, path: 'app', digest }, wanted)

/** A manifest with its configuration, as plain objects. */
function read(digest: string): { manifest: Record<string, unknown>; config: { config: object } } {
  const manifest = Object(fake.manifest('app', digest))
  const config = JSON.parse(Buffer.from(fake.blob('app', manifest.config.digest) ?? []).toString())
  return { manifest, config }
}

describe('an image with one manifest', () => {
  test('gets a new configuration and manifest, and keeps all else', async () => {
    const old = addFakeImage(fake, 'app', 'v1', { labels: { [REVISION]: 'one', team: 'ml' } })
    const result = await relabel(old, marks({ [REVISION]: 'two' }))
    if (result.kind !== 'relabelled') throw new Error(result.kind)
    const [before, after] = [read(old), read(result.digest)]
    expect(after.config).toEqual({
      ...before.config,
      config: { ...before.config.config, Labels: { [REVISION]: 'two', team: 'ml' } },
    })
    expect(after.manifest.layers).toEqual(before.manifest.layers)
    expect(Object.keys(after.manifest)).toEqual(Object.keys(before.manifest))
    // The old image, and its tag, are as they were.
    expect(fake.digestOfTag('app', 'v1')).toBe(old)
    expect(before.config.config).toMatchObject({ Labels: { [REVISION]: 'one' } })
  })

  test('moves no layer', async () => {
    const old = addFakeImage(fake, 'app', 'v1')
    await relabel(old, marks({ [REVISION]: 'two' }))
    expect(fake.kinds).toEqual([
      'GET manifests',
      'GET blobs',
      'HEAD blobs',
      'POST uploads',
      'PUT uploads',
      'PUT manifests',
    ])
  })

  test('gives the same digest for the same labels', async () => {
    const old = addFakeImage(fake, 'app', 'v1')
    expect(await relabel(old, marks({ [REVISION]: 'two' }))).toEqual(await relabel(old, marks({ [REVISION]: 'two' })))
  })

  test('that has the labels already stays as it is, and nothing is put', async () => {
    const old = addFakeImage(fake, 'app', 'v1', { labels: { [REVISION]: 'one' }, annotations: { a: 'b' } })
    expect(await relabel(old, marks({ [REVISION]: 'one' }, 'a=b'))).toEqual({ kind: 'same', digest: old })
    expect(await relabel(old, marks({}))).toEqual({ kind: 'same', digest: old })
    expect(fake.kinds.filter((kind) => kind.startsWith('P'))).toEqual([])
  })

  test('gets annotations without a new configuration', async () => {
    const old = addFakeImage(fake, 'app', 'v1', { annotations: { team: 'ml' } })
    const result = await relabel(old, marks({}, `${REVISION}=two`, 'index:ignored=1', 'manifest[linux/arm64]:other=1'))
    if (result.kind !== 'relabelled') throw new Error(result.kind)
    expect(read(result.digest).manifest).toEqual({
      ...read(old).manifest,
      annotations: { team: 'ml', [REVISION]: 'two' },
    })
  })
})

describe('an image with an index', () => {
  const platforms = ['linux/amd64', 'linux/arm64']

  test('gets a new manifest for each platform, and goes without attestations that name the old ones', async () => {
    const old = addFakeIndex(fake, 'app', 'v1', { platforms, attested: true })
    const result = await relabel(old, marks({ [REVISION]: 'two' }))
    expect(result).toMatchObject({ kind: 'relabelled', attestationsLeft: 2 })
    if (result.kind !== 'relabelled') return
    const entries: { digest: string; size: number; platform: object }[] = Object(
      fake.manifest('app', result.digest),
    ).manifests
    expect(entries.map(({ platform }) => platform)).toEqual([
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ])
    for (const { digest, size } of entries) {
      expect(read(digest).config.config).toMatchObject({ Labels: { [REVISION]: 'two' } })
      expect(JSON.stringify(fake.manifest('app', digest))).toHaveLength(size)
    }
  })

  test('keeps its attestations when only the index itself is annotated', async () => {
    const old = addFakeIndex(fake, 'app', 'v1', { platforms, attested: true })
    const result = await relabel(old, marks({}, 'index:a=b'))
    expect(result).toMatchObject({ kind: 'relabelled', attestationsLeft: 0 })
    if (result.kind !== 'relabelled') return
    const before = Object(fake.manifest('app', old))
    expect(fake.manifest('app', result.digest)).toEqual({ ...before, annotations: { a: 'b' } })
  })

  test('gets annotations for one platform alone', async () => {
    const old = addFakeIndex(fake, 'app', 'v1', { platforms })
    const result = await relabel(old, marks({}, 'manifest[linux/arm64]:a=b'))
    if (result.kind !== 'relabelled') throw new Error(result.kind)
    const [amd64, arm64] = Object(fake.manifest('app', result.digest)).manifests
    expect(read(amd64.digest).manifest.annotations).toBeUndefined()
    expect(read(arm64.digest).manifest.annotations).toEqual({ a: 'b' })
  })

  test('with a manifest that is gone can not be labelled', async () => {
    const old = addFakeIndex(fake, 'app', 'v1', { platforms })
    fake.fail('GET manifests', { kind: 'meanwhile', act: () => undefined })
    fake.fail('GET manifests', { kind: 'status', status: 404, code: 'MANIFEST_UNKNOWN' })
    await expect(relabel(old, marks({ a: 'b' }))).rejects.toThrow("can't be labelled anew: its manifest")
  })
})

test('an image that is gone is missing', async () => {
  const old = addFakeImage(fake, 'app', 'v1')
  fake.fail('GET manifests', { kind: 'status', status: 404, code: 'MANIFEST_UNKNOWN' })
  expect(await relabel(old, marks({ a: 'b' }))).toEqual({ kind: 'missing' })
})
