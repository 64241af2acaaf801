import { afterEach, describe, expect, test } from '@jest/globals'
import type { Digest } from '../../src/base/digest.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { putTags } from '../../src/registry/put-tags.ts'
import { type RegistryFake, type RegistryFakeOptions, startRegistryFake } from '../support/registry-fake.ts'

const registry = new HttpRegistry({ sleep: async () => undefined })
let fake: RegistryFake

afterEach(async () => {
  await fake.close()
})

describe('tags in the same repository', () => {
  test('cost one GET and one PUT each', async () => {
    const digest = await image()
    const result = await putTags(registry, at('app', digest), [tag('app', 'a'), tag('app', 'b'), tag('app', 'c')])
    expect(result).toMatchObject({ kind: 'done', digest, failed: [] })
    expect(['a', 'b', 'c'].map((name) => fake.digestOfTag('app', name))).toEqual([digest, digest, digest])
    expect([...fake.kinds].sort()).toEqual(['GET manifests', 'PUT manifests', 'PUT manifests', 'PUT manifests'])
  })

  test('are not put when the image is gone', async () => {
    const digest = await image()
    expect(await putTags(registry, { ...tag('app', 'gone') }, [tag('app', 'a')])).toEqual({ kind: 'source-missing' })
    expect(fake.digestOfTag('app', 'a')).toBeUndefined()
    expect(digest).toBeDefined()
  })

  test('fail one by one', async () => {
    const digest = await image()
    fake.fail('PUT manifests', { kind: 'status', status: 403, code: 'DENIED' })
    const result = await putTags(registry, at('app', digest), [tag('app', 'a'), tag('app', 'b')])
    if (result.kind !== 'done') throw new Error(result.kind)
    expect(result.put).toHaveLength(1)
    expect(result.failed.map(({ error }) => error.code)).toEqual(['E_REGISTRY_AUTH'])
  })
})

describe('tags in another repository', () => {
  test('mount the blobs of an image, once for several tags', async () => {
    const digest = await image()
    const result = await putTags(registry, at('app', digest), [tag('other', 'a'), tag('other', 'b')])
    expect(result).toMatchObject({
      put: [
        { mounted: 2, copied: 0 },
        { mounted: 2, copied: 0 },
      ],
      failed: [],
    })
    expect(fake.digestOfTag('other', 'b')).toBe(digest)
    expect(fake.count('POST uploads')).toBe(2)
    expect(fake.count('GET blobs')).toBe(0)
  })

  test('bring along every manifest of an index', async () => {
    const child = await image()
    const manifests = [{ mediaType: OCI_MANIFEST, digest: child, size: 1 }]
    const digest = fake.addManifest('app', 'index', OCI_INDEX, { schemaVersion: 2, manifests })
    const result = await putTags(registry, at('app', digest), [tag('other', 'a')])
    expect(result).toMatchObject({ put: [{ mounted: 2, copied: 0 }], failed: [] })
    expect(fake.digestOfTag('other', 'a')).toBe(digest)
    expect(fake.manifest('other', child)).toBeDefined()
  })

  test('copy small blobs where the registry does not mount', async () => {
    const digest = await image({ mounts: 'refuse' })
    const result = await putTags(registry, at('app', digest), [tag('other', 'a')])
    expect(result).toMatchObject({ put: [{ mounted: 0, copied: 2 }], failed: [] })
    expect(fake.digestOfTag('other', 'a')).toBe(digest)
  })

  test('say so when a layer is too large to copy', async () => {
    const digest = await image({ mounts: 'refuse' }, 3_000_000_000)
    const result = await putTags(registry, at('app', digest), [tag('other', 'a'), tag('app', 'b')])
    expect(result).toMatchObject({ put: [{ reference: { path: 'app' } }], failed: [{ reference: { path: 'other' } }] })
    const message = result.kind === 'done' ? result.failed[0]?.error.message : ''
    expect(message).toContain('one of 3.0 GB is too large to copy')
    expect(fake.digestOfTag('other', 'a')).toBeUndefined()
  })
})

test('a tag on another registry fails with a sentence that names it', async () => {
  const digest = await image()
  const elsewhere = { registry: 'elsewhere.invalid', path: 'app', tag: 'a' }
  const result = await putTags(registry, at('app', digest), [elsewhere, tag('app', 'b')])
  expect(result).toMatchObject({ put: [{ reference: { tag: 'b' } }], failed: [{ error: { code: 'E_REGISTRY' } }] })
  expect(result.kind === 'done' && result.failed[0]?.error.message).toContain('another registry, elsewhere.invalid')
})

async function image(options: RegistryFakeOptions = {}, layerSize?: number): Promise<Digest> {
  fake = await startRegistryFake(options)
  const config = { mediaType: 'config', ...fake.addBlob('app', '{}') }
  const layer = fake.addBlob('app', 'layer')
  const layers = [{ mediaType: 'layer', digest: layer.digest, size: layerSize ?? layer.size }]
  return fake.addManifest('app', '1', OCI_MANIFEST, { schemaVersion: 2, config, layers })
}

const tag = (path: string, name: string) => ({ registry: fake.host, path, tag: name })
const at = (path: string, digest: Digest) => ({ registry: fake.host, path, digest })
