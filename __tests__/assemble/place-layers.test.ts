import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { imageIndex, type PlatformImage } from '../../src/assemble/attestation.ts'
import { confirmLayer, findGroup, groupTag, keepGroup } from '../../src/assemble/find-layers.ts'
import { type ComposedImage, composeImage } from '../../src/assemble/image-manifest.ts'
import type { KeptLayer } from '../../src/assemble/kept-layer.ts'
import { placeLayers } from '../../src/assemble/place-layers.ts'
import { putImage } from '../../src/assemble/put-image.ts'
import { digestOf } from '../../src/base/digest.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import type { RepositoryName } from '../../src/registry/reference.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const registry = new HttpRegistry({ sleep: async () => undefined })
const amd64 = { os: 'linux', architecture: 'amd64' }
let fake: RegistryFake
beforeEach(async () => {
  fake = await startRegistryFake()
})
afterEach(() => fake.close())

function at(path: string, host = fake.host): RepositoryName {
  return { registry: host, path }
}

function layer(path: string, content: string, on = fake): KeptLayer {
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd'
  return { mediaType, ...on.addBlob(path, content), diffId: digestOf(`${content}.tar`) }
}

describe('layers', () => {
  test('that are said to be there cost nothing', async () => {
    const placed = await placeLayers(registry, at('app'), [{ layer: layer('app', 'a'), from: [at('app')] }], false)
    expect(placed).toEqual({ mounted: 0, copiedBytes: 0, gone: [] })
    expect(fake.requests).toEqual([])
  })

  test('of other repositories are mounted without moving bytes, each once', async () => {
    const base = layer('base', 'base layer')
    const sources = [base, base].map((one) => ({ layer: one, from: [at('base')] }))
    expect(await placeLayers(registry, at('app'), sources, false)).toEqual({ mounted: 1, copiedBytes: 0, gone: [] })
    expect(fake.kinds).toEqual(['POST uploads'])
    expect(fake.blob('app', base.digest)).toBeDefined()
  })

  test('are copied where the registry does not mount', async () => {
    await fake.close()
    fake = await startRegistryFake({ mounts: 'refuse' })
    const base = layer('base', 'base layer')
    const placed = await placeLayers(registry, at('app'), [{ layer: base, from: [at('base')] }], false)
    expect(placed).toEqual({ mounted: 0, copiedBytes: base.size, gone: [] })
    expect(fake.blob('app', base.digest)).toBeDefined()
  })

  test('come from another registry', async () => {
    const other = await startRegistryFake()
    try {
      const base = layer('base', 'base layer', other)
      const source = { layer: base, from: [at('base', other.host)] }
      expect(await placeLayers(registry, at('app'), [source], false)).toMatchObject({ copiedBytes: base.size })
      expect(await placeLayers(registry, at('app'), [source], false)).toMatchObject({ copiedBytes: 0, gone: [] })
      expect(other.count('GET blobs')).toBe(1)
    } finally {
      await other.close()
    }
  })

  test('that are gone are named when they are asked for', async () => {
    const kept = layer('app', 'kept')
    const lost = layer('app', 'lost')
    fake.removeBlob('app', lost.digest)
    const sources = [kept, lost].map((one) => ({ layer: one, from: [at('app')] }))
    expect(await placeLayers(registry, at('app'), sources, true)).toEqual({ mounted: 0, copiedBytes: 0, gone: [lost] })
    expect(fake.kinds).toEqual(['HEAD blobs', 'HEAD blobs'])
  })

  test('that are gone everywhere are named, too', async () => {
    const lost = layer('base', 'lost')
    fake.removeBlob('base', lost.digest)
    expect(await placeLayers(registry, at('app'), [{ layer: lost, from: [at('base')] }], false)).toMatchObject({
      gone: [lost],
    })
  })
})

describe('a group', () => {
  const key = digestOf('key')

  test('is found by the tag of its key, in one request', async () => {
    const kept = layer('layers', 'group')
    expect(await findGroup(registry, at('layers'), key)).toEqual({ kind: 'missing' })
    expect(
      await keepGroup(registry, at('layers'), key, { layer: kept, platform: amd64, createdBy: 'idna' }),
    ).toBeUndefined()
    const before = fake.requests.length
    expect(await findGroup(registry, at('layers'), key)).toEqual({ kind: 'found', layer: kept })
    expect(fake.requests.length - before).toBe(1)
    expect(fake.digestOfTag('layers', groupTag(key))).toBeDefined()
  })

  test('is unknown, not missing, where the registry does not answer', async () => {
    fake.fail('GET manifests', { kind: 'status', status: 403, code: 'DENIED' })
    expect(await findGroup(registry, at('layers'), key)).toEqual({
      kind: 'unknown',
      reason: expect.stringContaining('403'),
    })
    fake.fail('HEAD blobs', { kind: 'status', status: 403 })
    expect(await confirmLayer(registry, at('layers'), layer('layers', 'x'))).toMatchObject({ kind: 'unknown' })
  })

  test('under a tag that holds something else is missing', async () => {
    fake.addManifest('layers', groupTag(key), 'application/vnd.oci.image.manifest.v1+json', {
      schemaVersion: 2,
      config: { digest: digestOf('x'), size: 1 },
      layers: [],
    })
    expect(await findGroup(registry, at('layers'), key)).toEqual({ kind: 'missing' })
  })

  test('that can’t be kept says why, and nothing fails', async () => {
    fake.fail('PUT manifests', { kind: 'status', status: 405, code: 'UNSUPPORTED' })
    const kept = { layer: layer('layers', 'group'), platform: amd64, createdBy: '' }
    expect(await keepGroup(registry, at('layers'), key, kept)).toContain('405')
  })
})

describe('an image', () => {
  const settings = '{"history":[{}]}'

  const alone = (image: ComposedImage): PlatformImage => ({ platform: amd64, image, attested: undefined })

  test('of two platforms is an index under its tags, and the two by their digests', async () => {
    const arm64 = { os: 'linux', architecture: 'arm64' }
    const [one, two] = ['a', 'b'].map((name) => composeImage(settings, [layer('app', name)], '2026-11-21T12:00:00Z'))
    if (one === undefined || two === undefined) throw new Error('there are two')
    const images = [alone(one), { ...alone(two), platform: arm64 }]
    const put = await putImage(registry, at('app'), { images, blobs: [], tags: [{ ...at('app'), tag: 'one' }] })
    expect(put).toEqual({ kind: 'put', digest: digestOf(imageIndex(images)) })
    expect(fake.digestOfTag('app', 'one')).toBe(digestOf(imageIndex(images)))
    expect(fake.count('PUT manifests')).toBe(3)
  })

  test('is put under all its tags at once', async () => {
    const image = composeImage(settings, [layer('app', 'a')], '2026-11-21T12:00:00Z')
    const tags = ['one', 'two'].map((tag) => ({ ...at('app'), tag }))
    const order = { images: [alone(image)], blobs: [], tags }
    expect(await putImage(registry, at('app'), order)).toEqual({ kind: 'put', digest: image.digest })
    expect(['one', 'two'].map((tag) => fake.digestOfTag('app', tag))).toEqual([image.digest, image.digest])
    expect(fake.count('PUT manifests')).toBe(2)
  })

  test('that misses a layer is incomplete', async () => {
    const lost = layer('app', 'a')
    fake.removeBlob('app', lost.digest)
    const order = {
      images: [alone(composeImage(settings, [lost], '2026-11-21T12:00:00Z'))],
      blobs: [],
      tags: [{ ...at('app'), tag: 'one' }],
    }
    expect(await putImage(registry, at('app'), order)).toEqual({ kind: 'incomplete' })
  })

  test('that may not be put is an error', async () => {
    fake.fail('PUT manifests', { kind: 'status', status: 403, code: 'DENIED' })
    const order = {
      images: [alone(composeImage(settings, [layer('app', 'a')], '2026-11-21T12:00:00Z'))],
      blobs: [],
      tags: [{ ...at('app'), tag: 'one' }],
    }
    await expect(putImage(registry, at('app'), order)).rejects.toMatchObject({ code: 'E_REGISTRY_AUTH' })
  })
})
