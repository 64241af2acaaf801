import { type Digest, digestOf } from '../base/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../registry/manifest.ts'
import type { ImageReference, RepositoryName } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import { RegistryError } from '../registry/registry-error.ts'
import type { Attestation } from './attestation.ts'
import type { ComposedImage } from './image-manifest.ts'

/** What is put under the tags: the image itself, or an index of it and what is said about it. */
export interface PutOrder {
  readonly image: ComposedImage
  readonly attested: Attestation | undefined
  /** Small layers of our own making. */
  readonly blobs: readonly Uint8Array[]
  /** All of one repository; with none the image is put by its digest. */
  readonly tags: readonly ImageReference[]
}

/** `incomplete`: the registry misses something that the manifest names. */
export type PutImageResult = { readonly kind: 'put'; readonly digest: Digest } | { readonly kind: 'incomplete' }

/**
 * Puts an image whose layers are in the repository already: configuration, manifest, then all tags at the same time.
 * @throws ImageCacheError E_REGISTRY when the registry fails
 */
export async function putImage(
  registry: Registry,
  repository: RepositoryName,
  { image, attested, blobs, tags }: PutOrder,
): Promise<PutImageResult> {
  await Promise.all(
    [image.config, ...blobs, ...(attested?.blobs ?? [])].map((bytes) => registry.putBlob(repository, bytes)),
  )
  const own = { mediaType: OCI_MANIFEST, bytes: image.manifest }
  try {
    if (attested === undefined) {
      const names = tags.length === 0 ? [byDigest(repository, own.bytes)] : tags
      await Promise.all(names.map((name) => registry.putManifest(name, own)))
      return { kind: 'put', digest: image.digest }
    }
    const statement = { mediaType: OCI_MANIFEST, bytes: attested.manifest }
    await Promise.all([own, statement].map((child) => registry.putManifest(byDigest(repository, child.bytes), child)))
    const names = tags.length === 0 ? [byDigest(repository, attested.index)] : tags
    await Promise.all(names.map((name) => registry.putManifest(name, { mediaType: OCI_INDEX, bytes: attested.index })))
    return { kind: 'put', digest: digestOf(attested.index) }
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
