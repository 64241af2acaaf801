import type { Digest } from '../base/digest.ts'
import { parseManifest } from './manifest.ts'
import { type Platform, selectPlatform } from './platform.ts'
import type { ImageReference } from './reference.ts'
import type { Registry } from './registry.ts'

/**
 * The digest that a reference stands for now, for pinning a `FROM`: no request when it carries a digest, else one.
 * @param platform with it, the digest of that platform's manifest rather than of the index
 * @returns undefined when the image isn't there, or not for that platform
 * @throws ImageCacheError E_REGISTRY or E_REGISTRY_AUTH
 */
export async function resolveDigest(
  registry: Registry,
  reference: ImageReference,
  platform?: Platform,
): Promise<Digest | undefined> {
  if (platform === undefined) return reference.digest ?? (await registry.head(reference))?.digest
  const manifest = await registry.manifest(reference)
  if (manifest === undefined) return undefined
  const parsed = parseManifest(manifest)
  return parsed.kind === 'image' ? manifest.digest : selectPlatform(parsed.manifests, platform)?.digest
}
