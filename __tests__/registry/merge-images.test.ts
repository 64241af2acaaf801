import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Digest } from '../../src/base/digest.ts'
import { parseMergeInputs } from '../../src/inputs/merge-inputs.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { mergeImages } from '../../src/registry/merge-images.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const registry = new HttpRegistry({ sleep: async () => undefined })
let fake: RegistryFake
let waits: number[]

beforeEach(async () => {
  fake = await startRegistryFake()
  waits = []
})
afterEach(() => fake.close())

describe('an index of the jobs’ digests', () => {
  test('lists images by platform with what is attested of them, whatever the order', async () => {
    const [amd, arm] = [attested('app', 'amd64'), attested('app', 'arm64')]
    const one = await merge([amd, arm], 'app:v1,app:v2')
    const two = await merge([arm, amd, arm], 'app:other')
    expect(two.digest).toBe(one.digest)
    expect(one).toMatchObject({ platforms: ['linux/amd64', 'linux/arm64'], attestations: 2 })
    expect(['v1', 'v2', 'other'].map((tag) => fake.digestOfTag('app', tag))).toEqual([
      one.digest,
      one.digest,
      one.digest,
    ])
    const index = await read(one.digest)
    const kinds = index.manifests.map(({ platform }) => `${platform?.os}/${platform?.architecture}`)
    expect(kinds).toEqual(['linux/amd64', 'linux/arm64', 'unknown/unknown', 'unknown/unknown'])
    const said = index.manifests.slice(2).map(({ annotations }) => annotations?.['vnd.docker.reference.digest'])
    expect(said).toEqual(index.manifests.slice(0, 2).map(({ digest }) => digest))
    expect(waits).toEqual([])
  })

  test('takes single images, whose configuration tells the platform', async () => {
    const merged = await merge([image('app', 'arm64'), image('app', 'amd64')], 'app:v1')
    expect(merged).toMatchObject({ platforms: ['linux/amd64', 'linux/arm64'], attestations: 0 })
  })

  test('has the annotations of the index and of its entries', async () => {
    const { digest } = await merge([image('app', 'amd64'), image('app', 'arm64')], 'app:v1', {
      annotations: 'title=app\nindex:team=ml\nmanifest-descriptor[linux/arm64]:note=slow\nmanifest:of=image',
    })
    const index = await read(digest)
    expect(index.annotations).toEqual({ title: 'app', team: 'ml' })
    expect(index.manifests.map(({ annotations }) => annotations)).toEqual([undefined, { note: 'slow' }])
  })

  test('comes to several repositories with all that it lists', async () => {
    const { digest } = await merge([attested('app', 'amd64'), image('app', 'arm64')], 'app:v1,mirror:v1')
    expect(fake.digestOfTag('mirror', 'v1')).toBe(digest)
    for (const { digest: child } of (await read(digest)).manifests) {
      expect(await registry.head({ registry: fake.host, path: 'mirror', digest: child })).toBeDefined()
    }
    expect(fake.count('GET blobs')).toBe(1)
  })

  test('takes an image out of another repository', async () => {
    const arm = image('arm-builds', 'arm64')
    const { digest } = await merge([image('app', 'amd64'), `${fake.host}/arm-builds@${arm}`], 'app:v1')
    expect(fake.digestOfTag('app', 'v1')).toBe(digest)
    expect(await registry.head({ registry: fake.host, path: 'app', digest: arm })).toBeDefined()
  })

  test('takes images by the tags of their content for platforms that no digest is for, and for no others', async () => {
    const amd = image('app', 'amd64', 'built now')
    addTag('content-amd64', image('app', 'amd64', 'built before'))
    addTag('content-arm64', attested('app', 'arm64'))
    const tags = { 'content-tags': 'content-amd64\ncontent-arm64\ncontent-gone' }
    const merged = await merge([amd], 'app:v1', { ...tags, platforms: 'linux/amd64,linux/arm64' })
    expect(merged).toMatchObject({ platforms: ['linux/amd64', 'linux/arm64'], attestations: 1 })
    const [first] = (await read(merged.digest)).manifests
    expect(first?.digest).toBe(amd)

    const before = fake.count('GET manifests')
    await merge([amd], 'app:v2', { ...tags, platforms: 'linux/amd64' })
    expect(fake.count('GET manifests') - before).toBe(1)
  })

  test('is made of such images alone where nothing was built', async () => {
    addTag('content-arm64', image('app', 'arm64'))
    const merged = await merge([], 'app:v1', { 'content-tags': 'content-arm64', platforms: 'linux/arm64' })
    expect(fake.digestOfTag('app', 'v1')).toBe(merged.digest)
  })

  test('waits for what does not show up yet', async () => {
    const amd = image('app', 'amd64')
    fake.fail('GET manifests', { kind: 'status', status: 404, code: 'MANIFEST_UNKNOWN' })
    fake.fail('PUT manifests', { kind: 'status', status: 404, code: 'MANIFEST_BLOB_UNKNOWN' })
    const { digest } = await merge([amd], 'app:v1')
    expect([fake.digestOfTag('app', 'v1'), waits]).toEqual([digest, [250, 250]])
  })
})

describe('no tag is put', () => {
  test('when a digest is nowhere', async () => {
    const gone: Digest = image('elsewhere', 'arm64')
    await expect(merge([image('app', 'amd64'), gone], 'app:v1')).rejects.toThrow(/is not in its registry/)
    expect([fake.digestOfTag('app', 'v1'), waits.length]).toEqual([undefined, 6])
  })

  test('when a manifest that an index lists is gone', async () => {
    const child = image('elsewhere', 'amd64')
    const index = fake.addManifest('app', 'x', OCI_INDEX, indexOf([entry(child, 'amd64')]))
    await expect(merge([index], 'app:v1')).rejects.toThrow(child)
    expect(fake.digestOfTag('app', 'v1')).toBeUndefined()
  })

  test('when two jobs built one platform differently', async () => {
    const [one, two] = [image('app', 'amd64', 'one'), image('app', 'amd64', 'two')]
    await expect(merge([one, two], 'app:v1')).rejects.toThrow('two images are for linux/amd64')
    expect(fake.digestOfTag('app', 'v1')).toBeUndefined()
  })

  test('when a platform is missing', async () => {
    const given = merge([image('app', 'amd64')], 'app:v1', { platforms: 'linux/amd64,linux/aarch64' })
    await expect(given).rejects.toThrow('no image is for linux/arm64')
    expect(fake.digestOfTag('app', 'v1')).toBeUndefined()
  })
})

describe('the inputs of a merge', () => {
  const digest = image0()

  test.each([
    ['lines', `${digest}\n`],
    ['JSON of the jobs before', JSON.stringify({ build: { outputs: { amd64: digest } } })],
    ['an image with its repository', `ghcr.io/org/app@${digest}`],
  ])('take digests from %s', (_, digests) => {
    const inputs: Readonly<Record<string, string>> = { tags: 'ghcr.io/org/app:1', digests }
    expect(parseMergeInputs((name) => inputs[name] ?? '', []).images).toEqual([
      { registry: 'ghcr.io', path: 'org/app', digest },
    ])
  })

  test('tell all mistakes at once', () => {
    const inputs: Readonly<Record<string, string>> = { tags: 'ghcr.io/org/app:1', platforms: 'arm', annotations: 'x' }
    expect(() => parseMergeInputs((name) => inputs[name] ?? '', [])).toThrow(
      'digests: "" holds no digest; annotations: "x" is not NAME=VALUE; platforms: "arm" is not os/architecture',
    )
  })
})

function image0(): string {
  return `sha256:${'a'.repeat(64)}`
}

function merge(digests: readonly string[], tags: string, more: Readonly<Record<string, string>> = {}) {
  const names = tags.split(',').map((tag) => `${fake.host}/${tag}`)
  const given: Readonly<Record<string, string>> = { tags: names.join(), digests: digests.join('\n'), ...more }
  const inputs = parseMergeInputs((name) => given[name] ?? '', [])
  return mergeImages(registry, inputs, async (milliseconds) => waits.push(milliseconds))
}

interface Entry {
  readonly digest: Digest
  readonly platform?: { readonly os: string; readonly architecture: string }
  readonly annotations?: Readonly<Record<string, string>>
}

async function read(digest: Digest): Promise<{ manifests: Entry[]; annotations?: Record<string, string> }> {
  const manifest = await registry.manifest({ registry: fake.host, path: 'app', digest })
  return JSON.parse(Buffer.from(manifest?.bytes ?? []).toString())
}

function image(repository: string, architecture: string, note = ''): Digest {
  const config = { architecture, os: 'linux', config: { Env: [note] }, rootfs: { type: 'layers', diff_ids: [] } }
  const blob = fake.addBlob(repository, JSON.stringify(config))
  return fake.addManifest(repository, `seed-${architecture}${note}`, OCI_MANIFEST, {
    ...{ schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [] },
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob },
  })
}

function addTag(tag: string, digest: Digest): void {
  const manifest = fake.manifest('app', digest)
  fake.addManifest('app', tag, String(Object(manifest).mediaType), manifest)
}

/** What buildx pushes of one platform: an index of the image and its provenance. */
function attested(repository: string, architecture: string): Digest {
  const subject = image(repository, architecture)
  const provenance = image(repository, `about-${architecture}`)
  const annotations = {
    'vnd.docker.reference.digest': subject,
    'vnd.docker.reference.type': 'attestation-manifest',
  }
  const about = { ...entry(provenance, 'unknown', 'unknown'), annotations }
  return fake.addManifest(
    repository,
    `index-${architecture}`,
    OCI_INDEX,
    indexOf([entry(subject, architecture), about]),
  )
}

function entry(digest: Digest, architecture: string, os = 'linux') {
  return { mediaType: OCI_MANIFEST, digest, size: 1, platform: { os, architecture } }
}

function indexOf(manifests: readonly unknown[]) {
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests }
}
