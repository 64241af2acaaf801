import { digestOf } from '../../src/base/digest.ts'
import type { ImageReference } from '../../src/registry/reference.ts'
import type { Descriptor, RawManifest, Registry } from '../../src/registry/registry.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const PATH = '/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin'
/** Newest patch of a Python whose tag names none; which one matters to no answer. */
const NEWEST = '3.14.0'
/** What images of older Pythons ship, by minor version. */
const SETUPTOOLS: Readonly<Record<number, string>> = {
  7: '57.5.0',
  8: '57.5.0',
  9: '58.1.0',
  10: '65.5.1',
  11: '65.5.1',
}

interface Bytes {
  readonly bytes: Uint8Array
  readonly digest: Descriptor['digest']
}

/**
 * Stands in for the registries of base images, so that Dockerfiles can be tried without pulling anything: what Docker's
 * own Python images, and uv's images made from them, say of themselves. Of all others nothing is known but that they are
 * there.
 */
export class KnownBases implements Registry {
  readonly #blobs = new Map<string, Uint8Array>()
  readonly #manifests = new Map<string, Bytes>()

  head(reference: ImageReference): Promise<Descriptor> {
    const { bytes, digest } = this.#imageOf(reference)
    return Promise.resolve({ mediaType: MANIFEST, digest, size: bytes.length })
  }

  manifest(reference: ImageReference): Promise<RawManifest> {
    const known = reference.digest === undefined ? undefined : this.#manifests.get(reference.digest)
    return Promise.resolve({ mediaType: MANIFEST, ...(known ?? this.#imageOf(reference)) })
  }

  blob(_: unknown, digest: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#blobs.get(digest))
  }

  blobChunks(): AsyncIterable<Uint8Array> {
    throw new Error('nothing is pulled here')
  }

  hasBlob(_: unknown, digest: string): Promise<boolean> {
    return Promise.resolve(this.#blobs.has(digest))
  }

  putManifest(): Promise<never> {
    return Promise.reject(new Error('nothing is pushed here'))
  }

  putBlob(): Promise<never> {
    return Promise.reject(new Error('nothing is pushed here'))
  }

  mountBlob(): Promise<never> {
    return Promise.reject(new Error('nothing is pushed here'))
  }

  copyBlob(): Promise<never> {
    return Promise.reject(new Error('nothing is pushed here'))
  }

  referrers(): Promise<readonly Descriptor[]> {
    return Promise.resolve([])
  }

  #imageOf(reference: ImageReference): Bytes {
    const config = bytesOf({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: environmentOf(reference), WorkingDir: '/' },
      rootfs: { type: 'layers', diff_ids: [] },
      history: historyOf(reference),
    })
    this.#blobs.set(config.digest, config.bytes)
    const manifest = bytesOf({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: config.digest,
        size: config.bytes.length,
      },
      layers: [],
    })
    this.#manifests.set(manifest.digest, manifest)
    return manifest
  }
}

/** Docker's images say their Python in PYTHON_VERSION; older ones pip and setuptools as well. */
function environmentOf({ path, tag = 'latest' }: ImageReference): readonly string[] {
  const [, version] = /^(?:library\/|arm64v8\/)?python$/.test(path)
    ? (/^(\d+(?:\.\d+)*)?(?:-|$)/.exec(tag === 'latest' ? '' : tag) ?? [])
    : /^astral-sh\/uv$/.test(path)
      ? (/(?:^|-)python(\d+\.\d+)/.exec(tag) ?? [])
      : []
  const isPython = /(?:^|\/)python$/.test(path) && !path.includes('lambda') && !path.includes('devcontainers')
  if (version === undefined && !isPython) return [`PATH=${PATH}`]
  const full =
    version === undefined || !version.includes('.') ? NEWEST : version.split('.').length > 2 ? version : `${version}.9`
  const minor = Number(full.split('.')[1])
  const setuptools = SETUPTOOLS[minor]
  const shipped = setuptools === undefined ? [] : ['PYTHON_PIP_VERSION=24.0', `PYTHON_SETUPTOOLS_VERSION=${setuptools}`]
  return [`PATH=${PATH}`, `PYTHON_VERSION=${full}`, ...shipped]
}

/** Docker's images are made from Debian's, which tell their release; without one in the tag it is the newest of its time. */
function historyOf({ path, tag = 'latest' }: ImageReference): readonly { readonly created_by: string }[] {
  if (!/^(?:library\/)?python$|^astral-sh\/uv$/.test(path)) return []
  // Docker's Alpine images have told their release since 2024; which one it is doesn't matter here.
  if (tag.includes('alpine')) return [{ created_by: 'ADD alpine-minirootfs-3.21.3-x86_64.tar.gz / # buildkit' }]
  const [, named] = /\b(buster|bullseye|bookworm|trixie)\b/.exec(tag) ?? []
  // A version down to its patch may be of any time.
  const [current, minor = '14'] = /^(?:latest|slim|3(?:\.(\d+))?(?:-slim)?)$/.exec(tag) ?? []
  const isCurrent = current !== undefined && Number(minor) >= 9
  const suite = named ?? (isCurrent ? 'trixie' : undefined)
  const step = suite === undefined ? 'RUN apt-get update' : `# debian.sh --arch 'amd64' out/ '${suite}' '@1'`
  return [{ created_by: step }]
}

function bytesOf(json: unknown): Bytes {
  const bytes = Buffer.from(JSON.stringify(json))
  return { bytes, digest: digestOf(bytes) }
}
