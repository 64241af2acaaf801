import { type Digest, digestOf } from '../base/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../registry/manifest.ts'
import type { ImageReference, RepositoryName } from '../registry/reference.ts'
import type { RawManifest, Registry } from '../registry/registry.ts'
import { RegistryError } from '../registry/registry-error.ts'
import { imageIndex, type PlatformImage } from './attestation.ts'

/** What is put under the tags. */
export interface PutOrder {
  /** One for each platform. */
  readonly images: readonly PlatformImage[]
  /** Small layers of our own making. */
  readonly blobs: readonly Uint8Array[]
  /** All of one repository; with none the image is put by its digest. */
  readonly tags: readonly ImageReference[]
}

/** `incomplete`: the registry misses something that the manifest names. */
export type PutImageResult = { readonly kind: 'put'; readonly digest: Digest } | { readonly kind: 'incomplete' }

/** What the tags name: the image itself, or an index where there are several images or something is said about one. */
export function topManifest(images: readonly PlatformImage[]): Pick<RawManifest, 'mediaType' | 'bytes'> {
  const [first, ...more] = images
  if (first === undefined) throw new RangeError('there is no image')
  const isAlone = more.length === 0 && first.attested === undefined
  return isAlone
    ? { mediaType: OCI_MANIFEST, bytes: first.image.manifest }
    : { mediaType: OCI_INDEX, bytes: imageIndex(images) }
}

/**
 * Puts an image whose layers are in the repository already: configurations, manifests, then all tags at the same time.
 * @throws ImageCacheError E_REGISTRY when the registry fails
 */
export async function putImage(
  registry: Registry,
  repository: RepositoryName,
  { images, blobs, tags }: PutOrder,
): Promise<PutImageResult> {
  const own = images.flatMap(({ image, attested }) => [image.config, ...(attested?.blobs ?? [])])
  await Promise.all([...blobs, ...own].map((bytes) => registry.putBlob(repository, bytes)))
  const top = topManifest(images)
  const children = images.flatMap(({ image, attested }) => [image.manifest, ...(attested ? [attested.manifest] : [])])
  try {
    if (top.mediaType === OCI_INDEX) {
      const put = async (bytes: Uint8Array) =>
        registry.putManifest(byDigest(repository, bytes), { mediaType: OCI_MANIFEST, bytes })
      await Promise.all(children.map(put))
    }
    const names = tags.length === 0 ? [byDigest(repository, top.bytes)] : tags
    await Promise.all(names.map((name) => registry.putManifest(name, top)))
    return { kind: 'put', digest: digestOf(top.bytes) }
  } catch (error) {
    if (error instanceof RegistryError && isIncomplete(error)) return { kind: 'incomplete' }
    throw error
  }
}

/** Registries that look answer with one of these (distribution spec, "Error Codes"). */
function isIncomplete({ registryCode = '', status = 0 }: RegistryError): boolean {
  return /BLOB_UNKNOWN|MANIFEST_UNKNOWN|MANIFEST_INVALID/.test(registryCode) && status >= 400 && status < 500
}

function byDigest({ registry, path }: RepositoryName, bytes: Uint8Array): ImageReference {
  return { registry, path, digest: digestOf(bytes) }
}
