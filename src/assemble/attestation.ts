import { type Digest, digestOf, hexOf } from '../base/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../registry/manifest.ts'
import type { Platform } from '../registry/platform.ts'
import type { ComposedImage } from './image-manifest.ts'
import { encode, OCI_CONFIG } from './layer-manifest.ts'

/** What is said about an image, in one of in-toto's forms. */
export interface Predicate {
  /** `https://slsa.dev/provenance/v1`, `https://spdx.dev/Document` */
  readonly type: string
  readonly json: object
}

/** Statements about an image, stored as BuildKit does it, so that its tools find them. */
export interface Attestation {
  readonly blobs: readonly Uint8Array[]
  /** Holds the statements. */
  readonly manifest: Uint8Array
}

/** The image of one platform, with what is said about it. */
export interface PlatformImage {
  readonly platform: Platform
  readonly image: ComposedImage
  readonly attested: Attestation | undefined
}

const IN_TOTO = 'application/vnd.in-toto+json'

/**
 * Writes down what is said about an image (BuildKit, docs/attestations/attestation-storage.md).
 * @param names of the image, `registry/path:tag`
 */
export function attest(
  image: ComposedImage,
  platform: Platform,
  names: readonly string[],
  predicates: readonly Predicate[],
): Attestation {
  const subject = subjects(names, platform, image.digest)
  const statements = predicates.map(({ type, json }) => {
    const bytes = encode({ _type: 'https://in-toto.io/Statement/v0.1', predicateType: type, subject, predicate: json })
    return { type, bytes }
  })
  const config = encode({
    architecture: 'unknown',
    os: 'unknown',
    config: {},
    rootfs: { type: 'layers', diff_ids: statements.map(({ bytes }) => digestOf(bytes)) },
  })
  const manifest = encode({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: described(OCI_CONFIG, config),
    layers: statements.map(({ type, bytes }) => ({
      ...described(IN_TOTO, bytes),
      annotations: { 'in-toto.io/predicate-type': type },
    })),
  })
  return { blobs: [config, ...statements.map(({ bytes }) => bytes)], manifest }
}

/** Lists images and, after them, the manifests of their statements (BuildKit, attestation-storage.md). */
export function imageIndex(images: readonly PlatformImage[]): Uint8Array {
  return encode({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [
      ...images.map(({ image, platform }) => ({ ...described(OCI_MANIFEST, image.manifest), platform })),
      ...images.flatMap(({ image, attested }) => (attested === undefined ? [] : [statementsOf(image, attested)])),
    ],
  })
}

function statementsOf(image: ComposedImage, { manifest }: Attestation): object {
  return {
    ...described(OCI_MANIFEST, manifest),
    annotations: {
      'vnd.docker.reference.digest': image.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    platform: { architecture: 'unknown', os: 'unknown' },
  }
}

/** The image's names as package URLs (purl-spec, type docker). */
function subjects(names: readonly string[], platform: Platform, digest: Digest): readonly object[] {
  return names.map((name) => ({ name: dockerPurl(name, platform), digest: { sha256: hexOf(digest) } }))
}

/** `pkg:docker/registry/path@tag?platform=linux%2Famd64`. @param name `registry/path:tag` or `registry/path@sha256:…` */
export function dockerPurl(name: string, { os, architecture, variant }: Platform): string {
  const [, path = name, version = ''] = /^(.+?)(?:[:@]((?:sha256:)?[^/:@]+))?$/.exec(name) ?? []
  const at = version === '' ? '' : `@${encodeURIComponent(version)}`
  const platform = [os, architecture, ...(variant === undefined ? [] : [variant])].join('/')
  return `pkg:docker/${path.split('/').map(encodeURIComponent).join('/')}${at}?platform=${encodeURIComponent(platform)}`
}

function described(mediaType: string, bytes: Uint8Array): { mediaType: string; digest: Digest; size: number } {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}
