import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { imageConfig } from '../../src/registry/image-config.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { resolveDigest } from '../../src/registry/resolve-digest.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const AMD64 = { os: 'linux', architecture: 'amd64' }
const ARM64 = { os: 'linux', architecture: 'arm64' }
const S390X = { os: 'linux', architecture: 's390x' }
const registry = new HttpRegistry()
let fake: RegistryFake

beforeEach(async () => {
  fake = await startRegistryFake()
})

afterEach(async () => {
  await fake.close()
})

function addImage(tag: string, platform: object, config: object = {}, more: object = {}) {
  const blob = fake.addBlob(
    'app',
    JSON.stringify({ ...platform, config, rootfs: { type: 'layers', diff_ids: ['sha256:1'] } }),
  )
  const layer = { mediaType: 'layer', ...fake.addBlob('app', 'layer') }
  const content = { schemaVersion: 2, config: { mediaType: 'config', ...blob }, layers: [layer], ...more }
  const digest = fake.addManifest('app', tag, OCI_MANIFEST, content)
  return { mediaType: OCI_MANIFEST, digest, size: JSON.stringify(content).length }
}

function addIndex(tag: string) {
  const attestation = { 'vnd.docker.reference.type': 'attestation-manifest' }
  const manifests = [
    {
      ...addImage('a', AMD64, { Env: ['A=1'], User: '1000', WorkingDir: '/app' }, { annotations: { plan: '1' } }),
      platform: AMD64,
    },
    { ...addImage('b', ARM64), platform: ARM64 },
    { ...addImage('c', { os: 'unknown' }), platform: S390X, annotations: attestation },
  ]
  return { manifests, digest: fake.addManifest('app', tag, OCI_INDEX, { schemaVersion: 2, manifests }) }
}

const at = (tag: string) => ({ registry: fake.host, path: 'app', tag })

describe("an image's config", () => {
  test('is that of the wanted platform, in three requests', async () => {
    const index = addIndex('1')
    expect(await imageConfig(registry, at('1'), AMD64)).toEqual({
      kind: 'found',
      annotations: { plan: '1' },
      topDigest: index.digest,
      digest: index.manifests[0]?.digest,
      configJson: {
        ...AMD64,
        config: { Env: ['A=1'], User: '1000', WorkingDir: '/app' },
        rootfs: { type: 'layers', diff_ids: ['sha256:1'] },
      },
      config: {
        env: ['A=1'],
        workingDir: '/app',
        user: '1000',
        entrypoint: [],
        cmd: [],
        shell: [],
        labels: {},
        platform: AMD64,
        diffIds: ['sha256:1'],
        history: [],
        onBuild: [],
      },
      layers: [{ mediaType: 'layer', digest: digestOf('layer'), size: 5 }],
    })
    expect(fake.requests).toHaveLength(3)
  })

  test('of a single manifest is found when its own platform is the wanted one', async () => {
    const { digest } = addImage('1', AMD64, { Entrypoint: ['/a'], Cmd: null, Labels: { a: 'b' } })
    expect(await imageConfig(registry, at('1'), AMD64)).toMatchObject({
      kind: 'found',
      topDigest: digest,
      digest,
      config: { entrypoint: ['/a'], cmd: [], labels: { a: 'b' } },
    })
    expect(await imageConfig(registry, at('1'), ARM64)).toEqual({
      kind: 'no-platform',
      topDigest: digest,
      platforms: ['linux/amd64'],
    })
  })

  test('is missing with the image', async () => {
    expect(await imageConfig(registry, at('1'), AMD64)).toEqual({ kind: 'missing' })
  })

  test('is not there for a platform that only an attestation names', async () => {
    const { digest } = addIndex('1')
    const platforms = ['linux/amd64', 'linux/arm64']
    expect(await imageConfig(registry, at('1'), S390X)).toEqual({ kind: 'no-platform', topDigest: digest, platforms })
  })
})

describe('a reference stands for a digest', () => {
  test('without a platform: the top one, in one HEAD', async () => {
    const { digest } = addIndex('1')
    expect(await resolveDigest(registry, at('1'))).toBe(digest)
    expect(fake.kinds).toEqual(['HEAD manifests'])
  })

  test('with its own digest: that one, without a request', async () => {
    expect(await resolveDigest(registry, { ...at('1'), digest: digestOf('x') })).toBe(digestOf('x'))
    expect(fake.requests).toHaveLength(0)
  })

  test("with a platform: that platform's", async () => {
    const { manifests } = addIndex('1')
    expect(await resolveDigest(registry, at('1'), ARM64)).toBe(manifests[1]?.digest)
    expect(await resolveDigest(registry, at('1'), S390X)).toBeUndefined()
  })

  test('that is missing: none', async () => {
    expect(await resolveDigest(registry, at('1'))).toBeUndefined()
    expect(await resolveDigest(registry, at('1'), AMD64)).toBeUndefined()
  })
})
