import type { Digest } from '../base/digest.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import { parseManifest } from './manifest.ts'
import { type MovedImage, moveImage, NOTHING_MOVED, sum } from './move-image.ts'
import { type MovedSignatures, moveSignatures } from './move-signatures.ts'
import { formatRepository, type ImageReference, type RepositoryName, sameRepository } from './reference.ts'
import type { RawManifest, Registry } from './registry.ts'
import { RegistryError } from './registry-error.ts'

/** A tag that now points to the image, and what came into its repository for that; all 0 in the source's own. */
export interface TagPut extends MovedSignatures {
  readonly reference: ImageReference
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

export interface PutTagsOptions {
  /** Whether signatures, attestations and SBOMs come along into another repository. They do unless this is false. */
  readonly signatures?: boolean
}

/**
 * Puts tags on an image that is already there. The manifest is read once; all tags are put at the same time. In another
 * repository what the image consists of comes first: blobs are mounted within a registry (distribution spec, "Mounting
 * a blob from another repository"), sent where they can't be, and left alone where they are there already.
 * @param source where the image is; its digest decides when it has one
 * @throws RegistryError when the source can't be read; what fails for a tag is in the result
 */
export async function putTags(
  registry: Registry,
  source: ImageReference,
  tags: readonly ImageReference[],
  options: PutTagsOptions = {},
): Promise<PutTagsResult> {
  const manifest = await registry.manifest(source)
  if (manifest === undefined) return { kind: 'source-missing' }

  const parsed = parseManifest(manifest)
  const moves = new Map<string, Promise<MovedSignatures>>()
  const moveInto = (to: RepositoryName): Promise<MovedSignatures> => {
    const key = formatRepository(to)
    const move = moves.get(key) ?? moveWhole(registry, source, to, manifest, options)
    moves.set(key, move)
    return move
  }
  const outcomes = await Promise.all(
    tags.map(async (reference): Promise<TagPut | TagFailure> => {
      try {
        const moved = await moveInto(reference)
        await putTag(registry, reference, manifest)
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

/** The image's parts first, then what is said of it: whoever finds the tag finds the signature, too. */
async function moveWhole(
  registry: Registry,
  from: RepositoryName,
  to: RepositoryName,
  manifest: RawManifest,
  { signatures = true }: PutTagsOptions,
): Promise<MovedSignatures> {
  if (sameRepository(from, to)) return { ...NOTHING_MOVED, signatures: 0 }
  const route = { registry, from, to }
  const image: MovedImage = await moveImage(route, manifest)
  if (!signatures) return { ...sum([image]), signatures: 0 }
  const said = await moveSignatures(route, image.manifests)
  return { ...sum([image, said]), signatures: said.signatures }
}

/** A repository that lets no tag be moved refuses one that is put again: fine as long as it is the same image. */
async function putTag(registry: Registry, reference: ImageReference, manifest: RawManifest): Promise<void> {
  const name = tagOnly(reference)
  try {
    await registry.putManifest(name, manifest)
  } catch (error) {
    const refused = error instanceof RegistryError && error.status !== undefined && error.status < 500
    if (!refused || error.status === 401) throw error
    const there = await registry.head(name).catch(() => undefined)
    if (there?.digest !== manifest.digest) throw error
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
