import { formatBytes } from '../base/bytes.ts'
import type { Digest } from '../base/digest.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import { parseManifest } from './manifest.ts'
import {
  familiarReference,
  formatRepository,
  type ImageReference,
  type RepositoryName,
  sameRepository,
  withDigest,
} from './reference.ts'
import type { Descriptor, RawManifest, Registry } from './registry.ts'

/** A tag that now points to the image. */
export interface TagPut {
  readonly reference: ImageReference
  /** Blobs that were mounted, and copied, into the tag's repository; both 0 in the source's own. */
  readonly mounted: number
  readonly copied: number
}

export interface TagFailure {
  readonly reference: ImageReference
  readonly error: ImageCacheError
}

/** What was done. `source-missing`: the image is gone, nothing was put. */
export type PutTagsResult =
  | { readonly kind: 'source-missing' }
  | {
      readonly kind: 'done'
      readonly digest: Digest
      /** Digest of the configuration; undefined for an index. */
      readonly configDigest: Digest | undefined
      readonly put: readonly TagPut[]
      readonly failed: readonly TagFailure[]
    }

interface Moved {
  readonly mounted: number
  readonly copied: number
}

/** Blobs up to this size go through memory when a registry doesn't mount them. */
const MAX_COPIED_BYTES = 32_000_000

/**
 * Puts tags on an image that is already there. The manifest is read once; all tags are put at the same time. In other
 * repositories of the registry its blobs are mounted first (distribution spec, "Mounting a blob from another
 * repository"), small ones copied where mounting is refused. A tag on another registry is a failure for now.
 * @param source where the image is; its digest decides when it has one
 * @throws RegistryError when the source can't be read; what fails for a tag is in the result
 */
export async function putTags(
  registry: Registry,
  source: ImageReference,
  tags: readonly ImageReference[],
): Promise<PutTagsResult> {
  const manifest = await registry.manifest(source)
  if (manifest === undefined) return { kind: 'source-missing' }

  const parsed = parseManifest(manifest)
  const moves = new Map<string, Promise<Moved>>()
  const moveInto = (repository: RepositoryName): Promise<Moved> => {
    const key = formatRepository(repository)
    const move = moves.get(key) ?? moveImage(registry, source, repository, manifest)
    moves.set(key, move)
    return move
  }
  const outcomes = await Promise.all(
    tags.map(async (reference): Promise<TagPut | TagFailure> => {
      try {
        const moved = await moveInto(reference)
        await registry.putManifest(tagOnly(reference), manifest)
        return { reference, ...moved }
      } catch (error) {
        return { reference, error: asImageCacheError(error) }
      }
    }),
  )
  return {
    kind: 'done',
    digest: manifest.digest,
    configDigest: parsed.kind === 'image' ? parsed.config.digest : undefined,
    put: outcomes.filter((outcome) => 'mounted' in outcome),
    failed: outcomes.filter((outcome) => 'error' in outcome),
  }
}

/** Brings all that a manifest needs into a repository; the manifest itself is put by the caller, last. */
async function moveImage(
  registry: Registry,
  source: ImageReference,
  to: RepositoryName,
  manifest: RawManifest,
): Promise<Moved> {
  if (sameRepository(source, to)) return { mounted: 0, copied: 0 }
  if (source.registry !== to.registry) {
    throw new ImageCacheError(
      'E_REGISTRY',
      `${familiarReference(source)} can't be put on another registry, ${to.registry}`,
      {
        hint: 'Tags of one image must be on one registry; push to the other one in a build of its own.',
      },
    )
  }
  const parsed = parseManifest(manifest)
  if (parsed.kind === 'image') return await moveBlobs(registry, source, to, [parsed.config, ...parsed.layers])
  const moved = await Promise.all(
    parsed.manifests.map(async (child) => {
      const childManifest = await registry.manifest(withDigest(source, child.digest))
      // An index may list what its repository doesn't hold; the registry decides whether it takes such an index.
      if (childManifest === undefined) return { mounted: 0, copied: 0 }
      const result = await moveImage(registry, source, to, childManifest)
      await registry.putManifest({ registry: to.registry, path: to.path, digest: child.digest }, childManifest)
      return result
    }),
  )
  return sum(moved)
}

async function moveBlobs(
  registry: Registry,
  source: RepositoryName,
  to: RepositoryName,
  blobs: readonly Descriptor[],
): Promise<Moved> {
  const unique = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()]
  const outcomes = await Promise.all(unique.map((blob) => registry.mountBlob(to, blob.digest, source)))
  const refused = unique.filter((_, index) => outcomes[index] === 'refused')
  // One after another: these go through memory.
  for (const blob of refused) await copyBlob(registry, source, to, blob)
  return { mounted: unique.length - refused.length, copied: refused.length }
}

async function copyBlob(
  registry: Registry,
  source: RepositoryName,
  to: RepositoryName,
  blob: Descriptor,
): Promise<void> {
  const from = formatRepository(source)
  if (blob.size > MAX_COPIED_BYTES) {
    throw new ImageCacheError(
      'E_REGISTRY',
      `the registry doesn't mount layers of ${from} into ${formatRepository(to)}, and one of ${formatBytes(blob.size)} is too large to copy`,
      {
        hint: 'Let the login for the target repository read the source repository, too, or tag in the same repository.',
      },
    )
  }
  const bytes = await registry.blob(source, blob.digest)
  if (bytes === undefined) {
    throw new ImageCacheError('E_REGISTRY', `a layer of ${from} is gone: ${blob.digest}`, {
      hint: 'Build the image again.',
    })
  }
  await registry.putBlob(to, bytes)
}

function sum(moved: readonly Moved[]): Moved {
  return {
    mounted: moved.reduce((total, { mounted }) => total + mounted, 0),
    copied: moved.reduce((total, { copied }) => total + copied, 0),
  }
}

/** A tag reference may carry the digest that it is meant to get; the name to PUT is the tag. */
function tagOnly({ registry, path, tag, digest }: ImageReference): ImageReference {
  return tag === undefined ? { registry, path, ...(digest === undefined ? {} : { digest }) } : { registry, path, tag }
}

function asImageCacheError(error: unknown): ImageCacheError {
  if (error instanceof ImageCacheError) return error
  return new ImageCacheError('E_REGISTRY', messageOf(error), { cause: error })
}
