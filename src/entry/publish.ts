import { setTimeout as wait } from 'node:timers/promises'
import type { Digest } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import { InputReader, inputError } from '../inputs/input-reader.ts'
import { parseMergeInputs } from '../inputs/merge-inputs.ts'
import { toReferences } from '../inputs/reference-inputs.ts'
import { mergeImages } from '../registry/merge-images.ts'
import { putTags } from '../registry/put-tags.ts'
import { formatReference, parseReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import { openRegistry } from './open-registry.ts'

/** How an image that exists is published. */
export interface PublishOptions {
  /** Where images lie; by default all registries, over HTTP, with the logins of `docker login`. */
  readonly registry?: Registry
  /** Ends everything under way. */
  readonly signal?: AbortSignal
}

/** An image and the names under which it now is. */
export interface PublishedImage {
  readonly digest: Digest
  /** `registry/repository:tag`, in the order in which they were given. */
  readonly names: readonly string[]
}

/**
 * Puts an image that exists under more names, in other repositories and on other registries, too: nothing is built or
 * pulled. Within a registry its layers are mounted, else they are sent, those that are not there yet. Signatures,
 * attestations and SBOMs come along.
 * @param image name with tag or digest
 * @param names names with tags; without a word the tag is `latest`
 * @param options where images lie
 * @throws ImageCacheError E_INPUT that lists all names that can't be read, or when there is no such image; E_REGISTRY
 * and E_REGISTRY_AUTH with each name that could not be put, when the others are
 */
export async function publish(
  image: string,
  names: readonly string[],
  options: PublishOptions = {},
): Promise<PublishedImage> {
  const reader = new InputReader(() => '')
  const source = parseReference(image)
  if (typeof source === 'string') reader.mistake('image', image, source)
  const tags = toReferences(reader, 'names', names)
  reader.finish()
  if (typeof source === 'string') throw new RangeError('the image was checked above')
  const registry = options.registry ?? openRegistry({ signal: options.signal })
  const put = await putTags(registry, source, tags)
  if (put.kind === 'source-missing') {
    throw new ImageCacheError('E_INPUT', `image: ${JSON.stringify(image)} is not in its registry`)
  }
  const [failure] = put.failed
  if (failure !== undefined) {
    const { code, hint } = failure.error
    const told = put.failed.map(({ reference, error }) => `${formatReference(reference)}: ${error.message}`)
    throw new ImageCacheError(code, told.join('; '), { cause: failure.error, ...(hint && { hint }) })
  }
  return { digest: put.digest, names: tags.map(formatReference) }
}

/** What an index of several images is to have. */
export interface PublishIndexOptions extends PublishOptions {
  /** `os/architecture[/variant]` that must be there; none are asked for when not given. */
  readonly platforms?: readonly string[]
  /** `NAME=VALUE`, written into the index. */
  readonly annotations?: readonly string[]
}

/** An index, its names, and the platforms that it has. */
export interface PublishedIndex extends PublishedImage {
  readonly platforms: readonly string[]
}

/**
 * Makes one image for several platforms out of images that exist, one for each platform, and puts it under names. What
 * is attested of the images comes along. Images that a registry doesn't show yet are asked for again, for about 16 s.
 * @param images `repository@sha256:…`, or bare digests in the repository of the first name
 * @param names names with tags; without a word the tag is `latest`
 * @param options platforms that must be there, annotations of the index, and where images lie
 * @throws ImageCacheError E_INPUT that lists all mistakes, and for images that are missing, contradict one another or
 * don't cover the platforms; E_REGISTRY and E_REGISTRY_AUTH
 */
export async function publishIndex(
  images: readonly string[],
  names: readonly string[],
  options: PublishIndexOptions = {},
): Promise<PublishedIndex> {
  const { signal, platforms = [], annotations = [] } = options
  const given: Readonly<Record<string, readonly string[]>> = { tags: names, digests: images, platforms, annotations }
  const request = parseMergeInputs((name) => (given[name] ?? []).join('\n'), [])
  if (request.leftOut.length > 0) {
    const mistakes = request.leftOut.map((name) => `annotations: ${name} is of the images, not of their index`)
    throw inputError(
      mistakes,
      'An index has annotations of its own, and of its entries: `manifest-descriptor:NAME=VALUE`.',
    )
  }
  const registry = options.registry ?? openRegistry({ signal })
  const merged = await mergeImages(registry, request, (milliseconds) => wait(milliseconds, undefined, { signal }))
  return { digest: merged.digest, names: request.tags.map(formatReference), platforms: merged.platforms }
}
