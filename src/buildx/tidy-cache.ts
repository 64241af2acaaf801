import { type Digest, digestOf } from '../base/digest.ts'
import { messageOf } from '../base/errors.ts'
import { isJsonList, isJsonRecord, type JsonRecord, parseJson } from '../base/json-value.ts'
import { type ParsedManifest, parseManifest } from '../registry/manifest.ts'
import type { ImageReference } from '../registry/reference.ts'
import type { Descriptor, RawManifest, Registry } from '../registry/registry.ts'
import { CACHE_CONFIG_MEDIA_TYPE, NO_DANGLING_RECORDS, tidyCacheConfig } from './cache-config.ts'

/** `clean`: nothing to drop. `left`: not touched, and why; the cache works as it would have without us. */
export type TidyCacheResult =
  | { readonly kind: 'tidied'; readonly dropped: number; readonly kept: number; readonly digest: Digest }
  | { readonly kind: 'clean' }
  | { readonly kind: 'left'; readonly reason: string }

const ROUNDS = 2

/**
 * Takes the dangling records out of a registry cache after BuildKit has exported it (issue 3: without this, the next
 * build with the same base image runs every dependency group again). Only the config and the manifest are written, the
 * manifest last; layers are untouched. If another job moves the tag meanwhile, one more round is made on what it left.
 * Never throws: a cache that can't be tidied is left as it is.
 * @param cache the reference given to `cache-to`, with its tag
 */
export async function tidyCache(registry: Registry, cache: ImageReference): Promise<TidyCacheResult> {
  if (cache.tag === undefined) return { kind: 'left', reason: 'the cache has no tag that could be moved' }
  const tagged: ImageReference = { registry: cache.registry, path: cache.path, tag: cache.tag }
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      const result = await tidyOnce(registry, tagged)
      if (result.kind !== 'moved') return result
    }
    return { kind: 'left', reason: 'another job keeps writing the same cache' }
  } catch (error) {
    return { kind: 'left', reason: messageOf(error) }
  }
}

async function tidyOnce(
  registry: Registry,
  cache: ImageReference,
): Promise<TidyCacheResult | { readonly kind: 'moved' }> {
  const tidied = await readTidied(registry, cache)
  if (tidied.kind !== 'tidied') return tidied
  await registry.putBlob(cache, tidied.config)
  const now = await registry.head(cache)
  if (now?.digest !== tidied.source.digest) return { kind: 'moved' }
  const { mediaType } = tidied.source
  const digest = await registry.putManifest(cache, { mediaType, bytes: tidied.manifest })
  return { kind: 'tidied', dropped: tidied.dropped, kept: tidied.kept, digest }
}

/** `copied`: a tidied copy lies beside the cache, under its digest alone. */
export type TidyCopyResult =
  | { readonly kind: 'copied'; readonly dropped: number; readonly digest: Digest }
  | { readonly kind: 'clean' }
  | { readonly kind: 'left'; readonly reason: string }

/**
 * Makes a tidied copy of a cache that somebody else wrote, for this run to import: the cache itself is theirs and stays.
 * The copy has no tag, so it is in nobody's way, and the same cache gives the same copy. Never throws.
 */
export async function copyTidied(registry: Registry, cache: ImageReference): Promise<TidyCopyResult> {
  try {
    const tidied = await readTidied(registry, cache)
    if (tidied.kind !== 'tidied') return tidied
    const { registry: host, path } = cache
    const digest = digestOf(tidied.manifest)
    const copy = { registry: host, path, digest }
    if ((await registry.head(copy)) === undefined) {
      await registry.putBlob(cache, tidied.config)
      await registry.putManifest(copy, { mediaType: tidied.source.mediaType, bytes: tidied.manifest })
    }
    return { kind: 'copied', dropped: tidied.dropped, digest }
  } catch (error) {
    return { kind: 'left', reason: messageOf(error) }
  }
}

/** A cache as it would be without its dangling records; nothing is written yet. */
type TidiedCache =
  | {
      readonly kind: 'tidied'
      readonly source: RawManifest
      readonly config: Uint8Array
      readonly manifest: Uint8Array
      readonly dropped: number
      readonly kept: number
    }
  | { readonly kind: 'clean' }
  | { readonly kind: 'left'; readonly reason: string }

async function readTidied(registry: Registry, cache: ImageReference): Promise<TidiedCache> {
  const source = await registry.manifest(cache)
  if (source === undefined) return { kind: 'left', reason: 'there is no cache under this tag' }
  const configDescriptor = cacheConfigOf(parseManifest(source))
  if (configDescriptor === undefined) return { kind: 'left', reason: 'what is under this tag is no BuildKit cache' }
  const bytes = await registry.blob(cache, configDescriptor.digest)
  if (bytes === undefined) return { kind: 'left', reason: "the cache's config is gone" }

  const tidied = tidyCacheConfig(parseJson(bytes))
  if (tidied.kind === 'unchanged') {
    return tidied.reason === NO_DANGLING_RECORDS ? { kind: 'clean' } : { kind: 'left', reason: tidied.reason }
  }
  const config = encode(tidied.json)
  const manifest = replaceConfig(parseJson(source.bytes), configDescriptor.digest, config)
  if (manifest === undefined) return { kind: 'left', reason: "the cache's manifest has an unknown form" }
  return { ...tidied, source, config, manifest: encode(manifest) }
}

/** The newer form is an image manifest whose config it is; the older one an index that lists it among the layers. */
function cacheConfigOf(manifest: ParsedManifest): Descriptor | undefined {
  const candidates = manifest.kind === 'image' ? [manifest.config] : manifest.manifests
  return candidates.find(({ mediaType }) => mediaType === CACHE_CONFIG_MEDIA_TYPE)
}

/** The manifest with the config's descriptor pointing to the new bytes, all else as it stood. */
function replaceConfig(manifest: unknown, oldDigest: Digest, config: Uint8Array): JsonRecord | undefined {
  if (!isJsonRecord(manifest)) return undefined
  const changed = { digest: digestOf(config), size: config.length }
  const renew = (value: unknown) =>
    isJsonRecord(value) && value.digest === oldDigest ? { ...value, ...changed } : value
  if (isJsonRecord(manifest.config)) return { ...manifest, config: renew(manifest.config) }
  return isJsonList(manifest.manifests) ? { ...manifest, manifests: manifest.manifests.map(renew) } : undefined
}

function encode(json: JsonRecord): Uint8Array {
  return Buffer.from(JSON.stringify(json))
}
