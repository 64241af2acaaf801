/**
 * A client of image registries, for programs that ask for many images or share logins between calls.
 *
 * @module registries
 */
export type { Digest } from '../base/digest.ts'
export { type OpenRegistryOptions, openRegistry } from '../entry/open-registry.ts'
export type { Platform } from '../registry/platform.ts'
export { type ImageReference, parseReference, type RepositoryName } from '../registry/reference.ts'
export type { BlobMove, Descriptor, MountOutcome, RawManifest, Registry } from '../registry/registry.ts'
