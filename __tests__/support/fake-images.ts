import type { Digest } from '../../src/base/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { parsePlatform } from '../../src/registry/platform.ts'
import type { RegistryFake } from './registry-fake.ts'

export interface FakeImageOptions {
  readonly platform?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  /** Makes another image of the same shape. */
  readonly note?: string
}

export interface FakeIndexOptions extends Omit<FakeImageOptions, 'platform'> {
  readonly platforms: readonly string[]
  /** Adds an attestation for each platform, as BuildKit does. */
  readonly attested?: boolean
}

/** Puts an image with one layer into a fake registry, without an index. */
export function addFakeImage(
  fake: RegistryFake,
  path: string,
  tag: string,
  { platform = 'linux/amd64', labels = {}, annotations, note = 'image' }: FakeImageOptions = {},
): Digest {
  const layer = fake.addBlob(path, `layer of ${note} for ${platform}`)
  const config = fake.addBlob(
    path,
    JSON.stringify({
      created: '2026-01-01T00:00:00Z',
      ...fields(platform),
      config: { Env: ['A=1'], Labels: labels },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
    }),
  )
  return fake.addManifest(path, tag, OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd', ...layer }],
    ...(annotations === undefined ? {} : { annotations }),
  })
}

/** Puts an index with an image for each platform into a fake registry. */
export function addFakeIndex(
  fake: RegistryFake,
  path: string,
  tag: string,
  { platforms, attested = false, ...image }: FakeIndexOptions,
): Digest {
  const images = platforms.map((platform) => {
    const digest = addFakeImage(fake, path, `${tag}-${platform.replaceAll('/', '-')}`, { ...image, platform })
    return { mediaType: OCI_MANIFEST, digest, size: sizeOf(fake, path, digest), platform: fields(platform) }
  })
  const attestations = images.map(({ digest: of }) => {
    const digest = addFakeImage(fake, path, `attestation-${of.slice(-8)}`, { platform: 'unknown/unknown', note: of })
    const annotations = {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': of,
    }
    const platform = { os: 'unknown', architecture: 'unknown' }
    return { mediaType: OCI_MANIFEST, digest, size: sizeOf(fake, path, digest), platform, annotations }
  })
  return fake.addManifest(path, tag, OCI_INDEX, {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: attested ? [...images, ...attestations] : images,
  })
}

function fields(text: string): { readonly os: string; readonly architecture: string; readonly variant?: string } {
  const platform = parsePlatform(text)
  if (typeof platform === 'string') throw new Error(platform)
  return platform
}

function sizeOf(fake: RegistryFake, path: string, digest: Digest): number {
  return JSON.stringify(fake.manifest(path, digest)).length
}
