import { type Digest, digestOf } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import { isJsonRecord, parseJson } from '../base/json-value.ts'
import type { Annotation } from './annotation.ts'
import { OCI_INDEX, parseManifest, platformOf } from './manifest.ts'
import { mergedIndex, platformNames } from './merged-index.ts'
import { moveImage } from './move-image.ts'
import { putTags } from './put-tags.ts'
import { familiarReference, type ImageReference, type RepositoryName, sameRepository, withDigest } from './reference.ts'
import type { Descriptor, RawManifest, Registry } from './registry.ts'
import { RegistryError } from './registry-error.ts'

/** An image that a job has pushed, by digest. */
export type PushedImage = RepositoryName & { readonly digest: Digest }

export interface MergeRequest {
  /** One for each job: images, or indexes of an image and its attestations. */
  readonly images: readonly PushedImage[]
  /** Images by name, taken where they are for platforms that no digest is for. */
  readonly otherwise: readonly ImageReference[]
  readonly tags: readonly [ImageReference, ...ImageReference[]]
  readonly annotations: readonly Annotation[]
  /** `os/architecture[/variant]` that the index must have; none are asked for when empty. */
  readonly platforms: readonly string[]
}

export interface MergedImage {
  readonly digest: Digest
  readonly platforms: readonly string[]
  /** Entries that say something about an image. */
  readonly attestations: number
}

/** Waits so many milliseconds. */
export type Wait = (milliseconds: number) => Promise<unknown>

/** What was pushed a moment ago may not be seen everywhere yet: how long is waited between tries. */
const DELAYS = [250, 500, 1000, 2000, 4000, 8000]
const NOT_YET: ReadonlySet<string> = new Set(['MANIFEST_BLOB_UNKNOWN', 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN'])

/**
 * Makes one image for several platforms out of the images of several jobs, with what is attested of them, and puts all
 * tags at once. Everything that the index lists is there before it is put; no image's bytes are moved within a
 * repository. What doesn't show up yet is asked for again, for about 16 s.
 * @throws ImageCacheError E_INPUT when images are missing, contradict one another or don't cover the platforms;
 * E_REGISTRY and E_REGISTRY_AUTH from the registry
 */
export async function mergeImages(registry: Registry, request: MergeRequest, wait: Wait): Promise<MergedImage> {
  const [home] = request.tags
  const pushed = (await Promise.all(request.images.map((image) => entriesOf(registry, image, home, wait)))).flat()
  const entries = [...pushed, ...(await othersFor(lackedBy(request, pushed), registry, request, wait))]
  const platforms = platformNames(entries)
  const lacking = lackedBy(request, entries)
  if (lacking.length > 0) {
    throw new ImageCacheError('E_INPUT', `platforms: no image is for ${lacking.join(', ')}`, {
      hint: `There are images for ${platforms.join(', ') || 'nothing'}. Did every job hand its digest on?`,
    })
  }
  const bytes = mergedIndex(entries, request.annotations)
  const index: RawManifest = { mediaType: OCI_INDEX, digest: digestOf(bytes), bytes }
  const isHome = (tag: ImageReference): boolean => sameRepository(tag, home)
  await Promise.all(request.tags.filter(isHome).map((tag) => putIndex(registry, tag, index, wait)))
  const abroad = request.tags.filter((tag) => !isHome(tag))
  if (abroad.length > 0) {
    const put = await putTags(registry, withDigest({ registry: home.registry, path: home.path }, index.digest), abroad)
    const [failure] = put.kind === 'done' ? put.failed : []
    if (failure !== undefined) throw failure.error
    if (put.kind === 'source-missing') throw gone({ ...home, digest: index.digest })
  }
  const listed = parseManifest(index)
  const count = listed.kind === 'index' ? listed.manifests.length : 0
  return { digest: index.digest, platforms, attestations: count - platforms.length }
}

function lackedBy({ platforms }: MergeRequest, entries: readonly Descriptor[]): readonly string[] {
  const names = platformNames(entries)
  return platforms.filter((wanted) => !names.includes(wanted))
}

/** What images by name have for these platforms. One that isn't there is no trouble of its own: its platform is missing. */
async function othersFor(
  platforms: readonly string[],
  registry: Registry,
  { otherwise, tags: [home] }: MergeRequest,
  wait: Wait,
): Promise<readonly Descriptor[]> {
  if (platforms.length === 0) return []
  const found = otherwise.map(async (image) => {
    const manifest = await patiently(() => registry.manifest(image), wait)
    return manifest === undefined ? [] : await listedOf(registry, image, manifest, home, wait)
  })
  return (await Promise.all(found))
    .filter((entries) => platformNames(entries).some((name) => platforms.includes(name)))
    .flat()
}

/** What the new index is to list of an image, once all of it is in the repository of the index. */
async function entriesOf(
  registry: Registry,
  image: PushedImage,
  home: RepositoryName,
  wait: Wait,
): Promise<readonly Descriptor[]> {
  const manifest = await patiently(() => registry.manifest(image), wait)
  if (manifest === undefined) throw gone(image)
  return await listedOf(registry, image, manifest, home, wait)
}

async function listedOf(
  registry: Registry,
  image: RepositoryName,
  manifest: RawManifest,
  home: RepositoryName,
  wait: Wait,
): Promise<readonly Descriptor[]> {
  if (!sameRepository(image, home)) {
    await moveImage({ registry, from: image, to: home }, manifest)
    await registry.putManifest({ registry: home.registry, path: home.path }, manifest)
  }
  const parsed = parseManifest(manifest)
  if (parsed.kind === 'image') {
    const config = await patiently(() => registry.blob(image, parsed.config.digest), wait)
    const json = config === undefined ? undefined : parseJson(config)
    const platform = isJsonRecord(json) ? platformOf(json) : undefined
    const { mediaType, digest, bytes } = manifest
    return [{ mediaType, digest, size: bytes.length, ...(platform === undefined ? {} : { platform }) }]
  }
  const { registry: host, path } = home
  for (const { digest } of parsed.manifests) {
    const child = await patiently(() => registry.head({ registry: host, path, digest }), wait)
    if (child === undefined) throw gone({ registry: host, path, digest })
  }
  return parsed.manifests
}

async function putIndex(registry: Registry, tag: ImageReference, index: RawManifest, wait: Wait): Promise<void> {
  for (const delay of [...DELAYS, undefined]) {
    try {
      await registry.putManifest(tag, index)
      return
    } catch (error) {
      const isEarly = error instanceof RegistryError && NOT_YET.has(error.registryCode ?? '')
      if (!isEarly || delay === undefined) throw error
      await wait(delay)
    }
  }
}

async function patiently<Value>(ask: () => Promise<Value | undefined>, wait: Wait): Promise<Value | undefined> {
  for (const delay of DELAYS) {
    const value = await ask()
    if (value !== undefined) return value
    await wait(delay)
  }
  return await ask()
}

function gone(image: ImageReference): ImageCacheError {
  return new ImageCacheError('E_INPUT', `digests: ${familiarReference(image)} is not in its registry`, {
    hint: 'See that the job which built it has pushed it (`push: by-digest`), to the same repository.',
  })
}
