import type { Digest } from '../base/digest.ts'
import { isJsonRecord, parseJson } from '../base/json-value.ts'
import { parseManifest, platformOf } from './manifest.ts'
import { formatPlatform, isAttestation, type Platform, parsePlatform, samePlatform } from './platform.ts'
import { type ImageReference, withDigest } from './reference.ts'
import type { Registry } from './registry.ts'

/** The manifest of an image for one platform. */
export interface PlatformManifest {
  readonly platform: Platform
  readonly digest: Digest
}

/** What a name stands for, by platform; attestations are no platform. */
export type ImagePlatforms =
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'found'
      /** Of the index, or of the manifest itself when there is no index. */
      readonly digest: Digest
      readonly manifests: readonly PlatformManifest[]
    }

/** Whether an image is there with all platforms that are wanted. */
export type PlatformCheck =
  | { readonly kind: 'missing' }
  | { readonly kind: 'found'; readonly digest: Digest }
  | { readonly kind: 'incomplete'; readonly digest: Digest; readonly missing: readonly string[] }

/**
 * The platforms of an image: one request for an index; two for a single manifest, whose configuration tells.
 * @throws ImageCacheError E_REGISTRY or E_REGISTRY_AUTH
 */
export async function imagePlatforms(registry: Registry, reference: ImageReference): Promise<ImagePlatforms> {
  const top = await registry.manifest(reference)
  if (top === undefined) return { kind: 'missing' }
  const parsed = parseManifest(top)
  if (parsed.kind === 'index') {
    const manifests = parsed.manifests.flatMap((entry): PlatformManifest[] =>
      entry.platform === undefined || isAttestation(entry) ? [] : [{ platform: entry.platform, digest: entry.digest }],
    )
    return { kind: 'found', digest: top.digest, manifests }
  }
  const bytes = await registry.blob(reference, parsed.config.digest)
  // A manifest without its configuration can't be pulled: it is what a careless clean-up leaves.
  if (bytes === undefined) return { kind: 'missing' }
  const config = parseJson(bytes)
  const platform = isJsonRecord(config) ? platformOf(config) : undefined
  return {
    kind: 'found',
    digest: top.digest,
    manifests: platform === undefined ? [] : [{ platform, digest: top.digest }],
  }
}

/**
 * Whether an image is there with every wanted platform, variant and all. Without platforms that is one HEAD. The manifests
 * that an index names are asked for, too: registries' clean-ups often delete them, because they bear no tag.
 * @param wanted `os/architecture[/variant]`
 * @throws ImageCacheError E_REGISTRY or E_REGISTRY_AUTH
 */
export async function platformCheck(
  registry: Registry,
  reference: ImageReference,
  wanted: readonly string[],
): Promise<PlatformCheck> {
  if (wanted.length === 0) {
    const descriptor = await registry.head(reference)
    return descriptor === undefined ? { kind: 'missing' } : { kind: 'found', digest: descriptor.digest }
  }
  const image = await imagePlatforms(registry, reference)
  if (image.kind === 'missing') return image
  const held = await Promise.all(
    wanted.map(async (text) => {
      const platform = parsePlatform(text)
      if (typeof platform === 'string') return false
      const entry = image.manifests.find((one) => samePlatform(one.platform, platform))
      if (entry === undefined || entry.digest === image.digest) return entry !== undefined
      return (await registry.head(withDigest(reference, entry.digest))) !== undefined
    }),
  )
  const missing = wanted.filter((_, index) => held[index] === false).map(normalName)
  return missing.length === 0
    ? { kind: 'found', digest: image.digest }
    : { kind: 'incomplete', digest: image.digest, missing }
}

function normalName(text: string): string {
  const platform = parsePlatform(text)
  return typeof platform === 'string' ? text : formatPlatform(platform)
}
