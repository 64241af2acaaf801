import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Digest, digestOf } from '../../src/base/digest.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { putTags } from '../../src/registry/put-tags.ts'
import { referrersTag } from '../../src/registry/referrer-list.ts'
import { type RegistryFake, type RegistryFakeOptions, startRegistryFake } from '../support/registry-fake.ts'

const registry = new HttpRegistry({ sleep: async () => undefined })
const open: RegistryFake[] = []
let fake: RegistryFake

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
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

  test('send blobs where the registry does not mount', async () => {
    const digest = await image({ mounts: 'refuse' })
    const result = await putTags(registry, at('app', digest), [tag('other', 'a')])
    expect(result).toMatchObject({ put: [{ mounted: 0, copied: 2, copiedBytes: 7 }], failed: [] })
    expect(fake.digestOfTag('other', 'a')).toBe(digest)
  })

  test('are not put when a layer is gone, while others are', async () => {
    const digest = await image({ mounts: 'refuse' })
    fake.fail('GET blobs', { kind: 'status', status: 404, code: 'BLOB_UNKNOWN' }, 2)
    const result = await putTags(registry, at('app', digest), [tag('other', 'a'), tag('app', 'b')])
    expect(result).toMatchObject({ put: [{ reference: { path: 'app' } }], failed: [{ reference: { path: 'other' } }] })
    expect(result.kind === 'done' && result.failed[0]?.error.message).toContain('a layer of')
    expect(fake.digestOfTag('other', 'a')).toBeUndefined()
  })

  test('leave layers alone that by licence live elsewhere', async () => {
    const { digest: config, size } = await image().then(() => fake.addBlob('app', '{}'))
    const foreign = {
      mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
      digest: digestOf('x'),
      size: 9,
    }
    const content = { schemaVersion: 2, config: { mediaType: 'config', digest: config, size }, layers: [] }
    const digest = fake.addManifest('app', '2', OCI_MANIFEST, content)
    const withForeign = fake.addManifest('app', '3', OCI_MANIFEST, { ...content, layers: [foreign] })
    expect(await putTags(registry, at('app', digest), [tag('other', 'a')])).toMatchObject({ put: [{ mounted: 1 }] })
    // The fake takes no manifest whose layer isn't there, as most registries don't: that is theirs to say.
    expect(await putTags(registry, at('app', withForeign), [tag('other', 'b')])).toMatchObject({
      failed: [{ error: { registryCode: 'MANIFEST_BLOB_UNKNOWN' } }],
    })
    expect(fake.count('GET blobs')).toBe(0)
  })
})

describe('tags on another registry', () => {
  let target: RegistryFake

  beforeEach(async () => {
    target = await started()
  })

  test('bring the image along, with every manifest of an index, before any tag is put', async () => {
    const child = await image()
    const manifests = [{ mediaType: OCI_MANIFEST, digest: child, size: 1 }]
    const digest = fake.addManifest('app', 'index', OCI_INDEX, { schemaVersion: 2, manifests })
    const result = await putTags(registry, at('app', digest), [there('a'), there('b'), tag('app', 'c')])
    expect(result).toMatchObject({ kind: 'done', digest, failed: [] })
    expect(result.kind === 'done' && result.put).toMatchObject([{ copied: 2 }, { copied: 2 }, { copied: 0 }])
    expect([target.digestOfTag('new/app', 'a'), target.digestOfTag('new/app', 'b')]).toEqual([digest, digest])
    expect(target.manifest('new/app', child)).toBeDefined()
    expect(target.kinds.slice(-2)).toEqual(['PUT manifests', 'PUT manifests'])
    expect(fake.count('GET blobs')).toBe(2)
  })

  test('send nothing that is there already', async () => {
    const digest = await image()
    await putTags(registry, at('app', digest), [there('a')])
    const result = await putTags(registry, at('app', digest), [there('b')])
    expect(result).toMatchObject({ put: [{ copied: 0, present: 2, copiedBytes: 0 }], failed: [] })
    expect(fake.count('GET blobs')).toBe(2)
  })

  test('are not put when the upload fails, while others are', async () => {
    const digest = await image()
    target.fail('POST uploads', { kind: 'status', status: 403, code: 'DENIED' }, 2)
    const result = await putTags(registry, at('app', digest), [there('a'), tag('app', 'b')])
    expect(result).toMatchObject({
      put: [{ reference: { tag: 'b' } }],
      failed: [{ error: { code: 'E_REGISTRY_AUTH' } }],
    })
    expect(target.digestOfTag('new/app', 'a')).toBeUndefined()
  })

  test('fail with a sentence that names a registry that is not there', async () => {
    const digest = await image()
    const nowhere = { registry: 'elsewhere.invalid', path: 'app', tag: 'a' }
    const result = await putTags(registry, at('app', digest), [nowhere, tag('app', 'b')])
    expect(result).toMatchObject({ put: [{ reference: { tag: 'b' } }], failed: [{ error: { code: 'E_REGISTRY' } }] })
    expect(result.kind === 'done' && result.failed[0]?.error.message).toContain('elsewhere.invalid')
  })

  const there = (name: string) => ({ registry: target.host, path: 'new/app', tag: name })
})

describe('what is said of an image', () => {
  test.each([
    ['a referrers API to one with it', 1, 1],
    ['a referrers API to one without', 1, undefined],
    ['none to one with it', undefined, 1],
    ['none to one without', undefined, undefined],
  ])('comes along from a registry with %s', async (_, ofSource, ofTarget) => {
    const digest = await image(ofSource === undefined ? {} : { referrersPage: ofSource })
    const target = await started(ofTarget === undefined ? {} : { referrersPage: ofTarget })
    const [signature, sbom] = [await say(digest, 'signature'), await say(digest, 'sbom')]
    const ofSbom = await say(sbom, 'signature of the sbom')
    for (const kind of ['sig', 'att', 'sbom'])
      fake.addManifest('app', `${referrersTag(digest)}.${kind}`, OCI_MANIFEST, bare(kind))
    const result = await putTags(registry, at('app', digest), [{ registry: target.host, path: 'app', tag: 'a' }])
    expect(result).toMatchObject({ put: [{ signatures: 6 }], failed: [] })
    const to = { registry: target.host, path: 'app' }
    expect((await registry.referrers(to, digest)).map((one) => one.digest).sort()).toEqual([signature, sbom].sort())
    expect(await registry.referrers(to, sbom)).toMatchObject([{ digest: ofSbom }])
    expect(target.tagsOf('app').filter((name) => /\.(sig|att|sbom)$/.test(name))).toHaveLength(3)
  })

  test('comes along for each image of an index, and before the tag', async () => {
    const child = await image()
    const manifests = [{ mediaType: OCI_MANIFEST, digest: child, size: 1 }]
    const digest = fake.addManifest('app', 'index', OCI_INDEX, { schemaVersion: 2, manifests })
    const signature = await say(child, 'signature')
    const result = await putTags(registry, at('app', digest), [tag('other', 'a')])
    expect(result).toMatchObject({ put: [{ signatures: 1 }] })
    expect(await registry.referrers({ registry: fake.host, path: 'other' }, child)).toMatchObject([
      { digest: signature },
    ])
    const puts = fake.requests.filter(({ kind }) => kind === 'PUT manifests')
    expect(puts.at(-1)?.path).toContain('/other/manifests/a')
  })

  test('stays behind when that is asked for, and is not even looked for', async () => {
    const digest = await image()
    await say(digest, 'signature')
    const before = fake.requests.length
    const result = await putTags(registry, at('app', digest), [tag('other', 'a')], { signatures: false })
    expect(result).toMatchObject({ put: [{ signatures: 0 }] })
    expect(fake.requests.slice(before).map(({ kind }) => kind)).not.toContain('GET referrers')
  })

  test('that cannot be read fails the tag: no unsigned copy of a signed image', async () => {
    const digest = await image({ referrersPage: 10 })
    fake.fail('GET referrers', { kind: 'status', status: 503 }, 4)
    const result = await putTags(registry, at('app', digest), [tag('other', 'a')])
    expect(result).toMatchObject({ put: [], failed: [{ error: { status: 503 } }] })
    expect(fake.digestOfTag('other', 'a')).toBeUndefined()
  })
})

describe('where tags can’t be moved', () => {
  test('one that is on the image already is fine', async () => {
    const digest = await image({ immutableTags: true })
    expect(await putTags(registry, at('app', digest), [tag('app', '1')])).toMatchObject({ put: [{}], failed: [] })
  })

  test('one that is on another image is an error that says why', async () => {
    const digest = await image({ immutableTags: true })
    fake.addManifest('app', 'taken', OCI_MANIFEST, { schemaVersion: 2 })
    const result = await putTags(registry, at('app', digest), [tag('app', 'taken')])
    expect(result).toMatchObject({ failed: [{ error: { hint: expect.stringContaining('lets no tag be moved') } }] })
  })
})

/** Pushes something about a manifest, as cosign or oras would: by digest, with a subject. */
async function say(subject: Digest, what: string): Promise<Digest> {
  const content = { ...bare(what), subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 }, artifactType: 'a/b' }
  const bytes = Buffer.from(JSON.stringify(content))
  const digest = digestOf(bytes)
  return await registry.putManifest({ registry: fake.host, path: 'app', digest }, { mediaType: OCI_MANIFEST, bytes })
}

function bare(what: string) {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', ...fake.addBlob('app', '{}') }
  return { schemaVersion: 2, config, layers: [{ mediaType: 'text/plain', ...fake.addBlob('app', what) }] }
}

async function started(options: RegistryFakeOptions = {}): Promise<RegistryFake> {
  const one = await startRegistryFake(options)
  open.push(one)
  return one
}

async function image(options: RegistryFakeOptions = {}): Promise<Digest> {
  fake = await started(options)
  const config = { mediaType: 'config', ...fake.addBlob('app', '{}') }
  const layers = [{ mediaType: 'layer', ...fake.addBlob('app', 'layer') }]
  return fake.addManifest('app', '1', OCI_MANIFEST, { schemaVersion: 2, config, layers })
}

const tag = (path: string, name: string) => ({ registry: fake.host, path, tag: name })
const at = (path: string, digest: Digest) => ({ registry: fake.host, path, digest })
