import { describe, expect, test } from '@jest/globals'
import { attest, dockerPurl, imageIndex } from '../../src/assemble/attestation.ts'
import { attestationChoice } from '../../src/assemble/attestation-choice.ts'
import { keptLayers } from '../../src/assemble/built-layers.ts'
import { folderLayer } from '../../src/assemble/folder-layer.ts'
import { composeImage } from '../../src/assemble/image-manifest.ts'
import { type KeptLayer, layerMediaType, readKeptLayer } from '../../src/assemble/kept-layer.ts'
import { layerManifest, readLayerManifest } from '../../src/assemble/layer-manifest.ts'
import { digestOf } from '../../src/base/digest.ts'
import { splitFields } from '../../src/buildx/option-fields.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'

const amd64 = { os: 'linux', architecture: 'amd64' }
const CREATED = '2026-11-21T12:00:00.000Z'

function layer(name: string): KeptLayer {
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+zstd'
  return { mediaType, digest: digestOf(name), size: name.length, diffId: digestOf(`${name}.tar`) }
}

function parsed(bytes: Uint8Array) {
  return JSON.parse(new TextDecoder().decode(bytes))
}

describe('a composed image', () => {
  const settings = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['A=1'] },
    history: [
      { created: '2020-01-01T00:00:00Z', created_by: 'base' },
      { created_by: 'ENV A=1', empty_layer: true },
      { created_by: 'COPY' },
    ],
  })

  test('names its layers in the configuration and in the manifest', () => {
    const image = composeImage(settings, [layer('base'), layer('copy')], CREATED)
    expect(parsed(image.config)).toEqual({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['A=1'] },
      created: CREATED,
      rootfs: { type: 'layers', diff_ids: [digestOf('base.tar'), digestOf('copy.tar')] },
      history: [
        { created: '2020-01-01T00:00:00Z', created_by: 'base' },
        { created: CREATED, created_by: 'ENV A=1', empty_layer: true },
        { created: CREATED, created_by: 'COPY' },
      ],
    })
    expect(parsed(image.manifest)).toMatchObject({
      mediaType: OCI_MANIFEST,
      config: { digest: digestOf(image.config), size: image.config.length },
      layers: [{ digest: digestOf('base') }, { digest: digestOf('copy') }],
    })
    expect(image.digest).toBe(digestOf(image.manifest))
  })

  test('is the same for the same parts', () => {
    const make = () => composeImage(settings, [layer('base'), layer('copy')], CREATED).digest
    expect(make()).toBe(make())
  })

  test('is refused when its history tells of another number of layers', () => {
    expect(() => composeImage(settings, [layer('base')], CREATED)).toThrow('the history tells of 2 layers, there are 1')
  })
})

describe('the manifest that keeps a layer', () => {
  test('tells all of it in one document', () => {
    const { manifest, config } = layerManifest(layer('group'), amd64, 'idna==3.11')
    const raw = { mediaType: OCI_MANIFEST, digest: digestOf(manifest), bytes: manifest }
    expect(readLayerManifest(raw)).toEqual(layer('group'))
    expect(parsed(manifest).config.digest).toBe(digestOf(config))
    expect(parsed(config)).toMatchObject({ rootfs: { diff_ids: [digestOf('group.tar')] } })
  })

  test.each([
    [
      'another image',
      { schemaVersion: 2, config: { digest: digestOf('c'), size: 1 }, layers: [layer('a'), layer('b')] },
    ],
    ['one without our mark', { schemaVersion: 2, config: { digest: digestOf('c'), size: 1 }, layers: [layer('a')] }],
  ])('%s is none', (_, json) => {
    const bytes = Buffer.from(JSON.stringify(json))
    expect(readLayerManifest({ mediaType: OCI_MANIFEST, digest: digestOf(bytes), bytes })).toBeUndefined()
  })
})

describe('a remembered layer', () => {
  test('comes back as it was', () => {
    expect(readKeptLayer(JSON.parse(JSON.stringify(layer('x'))))).toEqual(layer('x'))
  })

  test.each([
    ['no record', 'text'],
    ['no digest', { ...layer('x'), digest: 'sha1:x' }],
    ['no size', { ...layer('x'), size: -1 }],
    ['a foreign layer', { ...layer('x'), mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }],
  ])('is none with %s', (_, value) => {
    expect(readKeptLayer(value)).toBeUndefined()
  })

  test('of Docker’s kind gets OCI’s name', () => {
    expect(layerMediaType('application/vnd.docker.image.rootfs.diff.tar.gzip')).toBe(
      'application/vnd.oci.image.layer.v1.tar+gzip',
    )
  })

  test('must have a tar of its own in the configuration', () => {
    expect(keptLayers([layer('a')], [])).toBe('its configuration does not tell of all its layers')
    expect(keptLayers([layer('a')], ['nonsense'])).toBe('it has a layer of an unusual kind')
  })
})

describe('a layer of folders', () => {
  test.each([
    ['zstd', /tar\+zstd$/],
    ['gzip', /tar\+gzip$/],
    ['estargz', /tar\+gzip$/],
    ['uncompressed', /tar$/],
  ])('is the same each time (%s)', async (compression, mediaType) => {
    const [one, two] = await Promise.all([1, 2].map(() => folderLayer(['/srv/data', '/app/src'], compression)))
    expect(one?.layer).toEqual(two?.layer)
    expect(one?.layer.digest).toBe(digestOf(one?.bytes ?? ''))
    expect(one?.layer.mediaType).toMatch(mediaType)
    expect(one?.bytes[0] === 0x1f).toBe(/gzip/.test(mediaType.source))
  })

  test('holds the folders above, too, open to all and of root’s', async () => {
    const { bytes } = await folderLayer(['/srv/data', '/app/src', '/app'], 'uncompressed')
    const names: string[] = []
    for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; at += 512) {
      const header = Buffer.from(bytes.subarray(at, at + 512)).toString('latin1')
      names.push(`${header.slice(0, 100).replace(/\0.*/s, '')} ${header.slice(100, 107).trim()} ${header[156]}`)
    }
    expect(names).toEqual(['app/', 'app/src/', 'srv/', 'srv/data/'].map((name) => `${name} 000755 5`))
  })
})

describe('what is said about an image', () => {
  const image = composeImage('{"history":[{}]}', [layer('a')], CREATED)
  const attested = attest(
    image,
    amd64,
    ['registry.example/team/app:1.2'],
    [{ type: 'https://slsa.dev/x', json: { a: 1 } }],
  )

  test('lies beside it in an index, as BuildKit stores it', () => {
    const { manifests } = parsed(imageIndex([{ platform: amd64, image, attested }]))
    expect(manifests).toHaveLength(2)
    expect(manifests[0]).toMatchObject({ digest: image.digest, platform: amd64 })
    expect(manifests[1]).toMatchObject({
      digest: digestOf(attested.manifest),
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.digest': image.digest,
        'vnd.docker.reference.type': 'attestation-manifest',
      },
    })
    const [statement] = parsed(attested.manifest).layers
    expect(statement).toMatchObject({
      mediaType: 'application/vnd.in-toto+json',
      annotations: { 'in-toto.io/predicate-type': 'https://slsa.dev/x' },
    })
    const blob = attested.blobs.find((bytes) => digestOf(bytes) === statement.digest)
    expect(parsed(blob ?? new Uint8Array())).toMatchObject({
      predicateType: 'https://slsa.dev/x',
      subject: [{ name: 'pkg:docker/registry.example/team/app@1.2?platform=linux%2Famd64', digest: {} }],
      predicate: { a: 1 },
    })
  })

  test('comes after the images where the index is for several platforms', () => {
    const arm64 = { os: 'linux', architecture: 'arm64' }
    const other = composeImage('{"history":[{}]}', [layer('b')], CREATED)
    const images = [
      { platform: amd64, image, attested },
      { platform: arm64, image: other, attested: attest(other, arm64, ['registry.example/team/app:1.2'], []) },
    ]
    const { manifests } = parsed(imageIndex(images))
    expect(manifests.map(({ platform }: { platform: { architecture: string } }) => platform.architecture)).toEqual([
      'amd64',
      'arm64',
      'unknown',
      'unknown',
    ])
    expect(manifests[3].annotations['vnd.docker.reference.digest']).toBe(other.digest)
  })

  test.each([
    ['python:3.12', 'pkg:docker/python@3.12?platform=linux%2Famd64'],
    ['localhost:5000/a/b', 'pkg:docker/localhost%3A5000/a/b?platform=linux%2Famd64'],
    ['localhost:5000/a:b', 'pkg:docker/localhost%3A5000/a@b?platform=linux%2Famd64'],
    [`x/y@${digestOf('')}`, `pkg:docker/x/y@${encodeURIComponent(digestOf(''))}?platform=linux%2Famd64`],
  ])('the package URL of %s', (name, expected) => {
    expect(dockerPurl(name, amd64)).toBe(expected)
  })
})

describe('the inputs provenance and sbom', () => {
  const choose = (provenance?: string, sbom?: string, byDefault = true) => {
    const fields = (text: string | undefined) => {
      const read = text === undefined ? undefined : splitFields(text)
      if (typeof read === 'string') throw new Error(read)
      return read
    }
    return attestationChoice(fields(provenance), fields(sbom), byDefault)
  }

  test.each([
    [undefined, undefined, { provenance: 'min', sbom: false }],
    ['true', undefined, { provenance: 'min' }],
    ['false', undefined, { provenance: 'off' }],
    ['mode=max', 'true', { provenance: 'max', sbom: true }],
    [
      'mode=min,builder-id=https://ci.example/7',
      'false',
      { provenance: 'min', builderId: 'https://ci.example/7', sbom: false },
    ],
    ['disabled=true', undefined, { provenance: 'off' }],
    ['mode=min,inline-only=true', undefined, { provenance: 'min' }],
  ])('%s and %s', (provenance, sbom, expected) => {
    expect(choose(provenance, sbom)).toMatchObject({ kind: 'own', ...expected })
  })

  test('say nothing where the environment wants nothing by default', () => {
    expect(choose(undefined, undefined, false)).toMatchObject({ provenance: 'off' })
    expect(choose('true', undefined, false)).toMatchObject({ provenance: 'min' })
  })

  test.each([
    [undefined, 'generator=registry.example/scanner', 'generator'],
    ['mode=max,reproducible=true', undefined, 'reproducible'],
  ])('%s and %s are left to the builder', (provenance, sbom, word) => {
    expect(choose(provenance, sbom)).toEqual({ kind: 'refused', reason: expect.stringContaining(word) })
  })
})
