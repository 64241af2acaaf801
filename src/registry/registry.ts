import type { Digest } from '../base/digest.ts'
import type { Platform } from './platform.ts'
import type { ImageReference, RepositoryName } from './reference.ts'

/** A manifest or index as the registry holds it; `bytes` hash to `digest`. */
export interface RawManifest {
  readonly mediaType: string
  readonly digest: Digest
  readonly bytes: Uint8Array
}

/** What points to a blob or a manifest (OCI image-spec, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** In bytes. */
  readonly size: number
  readonly platform?: Platform
  readonly annotations?: Readonly<Record<string, string>>
}

/** `refused` is no error: the registry doesn't mount, or the source may not be read; the bytes must be copied. */
export type MountOutcome = 'mounted' | 'refused'

/** How a blob got into a repository: it was there, was taken over within the registry, or its bytes were sent. */
export type BlobMove = 'present' | 'mounted' | 'copied'

/** Speaks the OCI distribution protocol. Missing things are `undefined`; all else that fails throws. */
export interface Registry {
  /**
   * Gets ahead what it takes to write to a repository, while there is something else to wait for. Never fails: what is
   * wrong shows with the first request. A registry without it logs in then.
   */
  logIn?(repository: RepositoryName): Promise<void>
  /** Digest of a tag, or whether a digest is there, in one HEAD request. @throws RegistryError */
  head(reference: ImageReference): Promise<Descriptor | undefined>
  /** The manifest, verified against its digest. @throws RegistryError */
  manifest(reference: ImageReference): Promise<RawManifest | undefined>
  /** PUTs a manifest under its tag, or without one under its digest; answers its digest. @throws RegistryError */
  putManifest(reference: ImageReference, manifest: Pick<RawManifest, 'mediaType' | 'bytes'>): Promise<Digest>
  /** A small blob (a config) as a whole, verified. @throws RegistryError */
  blob(repository: RepositoryName, digest: Digest): Promise<Uint8Array | undefined>
  /** A blob of any size, piece by piece, verified at its end. @throws RegistryError, also when it is not there */
  blobChunks(repository: RepositoryName, digest: Digest, size: number): AsyncIterable<Uint8Array>
  /** Whether a repository has a blob, in one HEAD request. @throws RegistryError */
  hasBlob(repository: RepositoryName, digest: Digest): Promise<boolean>
  /** Uploads a small blob unless it is there already; answers its descriptor's digest. @throws RegistryError */
  putBlob(repository: RepositoryName, bytes: Uint8Array): Promise<Digest>
  /** Makes a blob of another repository on the same registry part of this one, without moving bytes. @throws RegistryError */
  mountBlob(repository: RepositoryName, digest: Digest, from: RepositoryName): Promise<MountOutcome>
  /**
   * Brings a blob of any size into a repository, from another one here or on another registry: mounted where that
   * works, else its bytes are streamed. @throws RegistryError, and ImageCacheError when the source has no such blob
   */
  copyBlob(
    repository: RepositoryName,
    blob: Pick<Descriptor, 'digest' | 'size'>,
    from: RepositoryName,
  ): Promise<BlobMove>
  /**
   * Manifests that name another as their subject: signatures, SBOMs, attestations. From the referrers API or, where
   * there is none, from the tag that stands in for it. @throws RegistryError
   */
  referrers(repository: RepositoryName, subject: Digest): Promise<readonly Descriptor[]>
}
