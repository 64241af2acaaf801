import type { Digest } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import type { Annotation } from './annotation.ts'
import { OCI_INDEX } from './manifest.ts'
import { formatPlatform, isAttestation, parsePlatform, samePlatform } from './platform.ts'
import type { Descriptor } from './registry.ts'

/** The annotation by which an attestation's entry names its image (buildkit docs, attestation-storage.md). */
const SUBJECT = 'vnd.docker.reference.digest'

/**
 * One index of the images that several jobs made, as bytes. The same images give the same bytes whatever their order:
 * images by platform, then what is attested of each. An image that is given twice is listed once.
 * @param annotations those of the level `index` come to the index, those of `manifest-descriptor` to their entries
 * @throws ImageCacheError E_INPUT when two images are for one platform, or an image says none
 */
export function mergedIndex(entries: readonly Descriptor[], annotations: readonly Annotation[]): Uint8Array {
  const unique = [...new Map(entries.map((entry) => [entry.digest, entry])).values()]
  const images = unique
    .filter((entry) => !isAttestation(entry))
    .map((entry) => ({ entry, platform: platformName(entry) }))
    .sort((a, b) => (a.platform < b.platform ? -1 : 1))
  for (const [index, { entry, platform }] of images.entries()) {
    const before = images[index - 1]
    if (before?.platform !== platform) continue
    throw new ImageCacheError('E_INPUT', `two images are for ${platform}: ${before.entry.digest} and ${entry.digest}`, {
      hint: 'Give the digests of one run alone: an artifact of an earlier attempt may lie in the folder.',
    })
  }
  const attestations = unique.filter(isAttestation)
  const said = images.flatMap(({ entry }) => attestations.filter((one) => one.annotations?.[SUBJECT] === entry.digest))
  const manifests = [
    ...images.map(({ entry }) => withAnnotations(entry, annotationsOf(entry, annotations))),
    ...said.toSorted((a, b) => imageOrder(images, a) - imageOrder(images, b)),
  ]
  const own = annotations.filter(({ levels }) => levels.includes('index')).map(({ name, value }) => [name, value])
  const index = {
    ...{ schemaVersion: 2, mediaType: OCI_INDEX, manifests },
    ...(own.length === 0 ? {} : { annotations: Object.fromEntries(own) }),
  }
  return Buffer.from(JSON.stringify(index))
}

/** Platforms of an index's images, as people write them. */
export function platformNames(entries: readonly Descriptor[]): readonly string[] {
  const names = entries.filter((entry) => !isAttestation(entry)).map(platformName)
  return [...new Set(names)].sort()
}

function imageOrder(images: readonly { readonly entry: Descriptor }[], attestation: Descriptor): number {
  const subject: string | undefined = attestation.annotations?.[SUBJECT]
  return images.findIndex(({ entry }): boolean => entry.digest === subject)
}

function platformName({ platform, digest }: { platform?: Descriptor['platform']; digest: Digest }): string {
  if (platform !== undefined) return formatPlatform(platform)
  throw new ImageCacheError('E_INPUT', `${digest} says no platform, so no index can list it`, {
    hint: 'Give digests of container images.',
  })
}

function annotationsOf({ platform }: Descriptor, annotations: readonly Annotation[]): readonly Annotation[] {
  return annotations.filter((annotation) => {
    if (!annotation.levels.includes('manifest-descriptor')) return false
    if (annotation.platform === undefined) return true
    const wanted = parsePlatform(annotation.platform)
    return typeof wanted !== 'string' && platform !== undefined && samePlatform(wanted, platform)
  })
}

function withAnnotations(entry: Descriptor, annotations: readonly Annotation[]): Descriptor {
  const { mediaType, digest, size, platform, annotations: before } = entry
  const all = { ...before, ...Object.fromEntries(annotations.map(({ name, value }) => [name, value])) }
  return {
    ...{ mediaType, digest, size },
    ...(platform === undefined ? {} : { platform }),
    ...(Object.keys(all).length === 0 ? {} : { annotations: all }),
  }
}
