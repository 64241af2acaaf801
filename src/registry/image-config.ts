import type { Digest } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import { isJsonRecord, type JsonRecord, parseJson, textField, textList, textRecord } from '../base/json-value.ts'
import { parseManifest, platformOf } from './manifest.ts'
import { formatPlatform, isAttestation, type Platform, samePlatform, selectPlatform } from './platform.ts'
import { familiarReference, type ImageReference, withDigest } from './reference.ts'
import type { Descriptor, RawManifest, Registry } from './registry.ts'

/** What an image sets for the containers and builds that start from it (OCI image-spec, config.md). */
export interface ImageConfig {
  /** `NAME=value`, in the image's order. */
  readonly env: readonly string[]
  /** Empty when the image sets none, as are the next three. */
  readonly workingDir: string
  readonly user: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly shell: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly platform: Platform | undefined
  /** Digests of the uncompressed layers. */
  readonly diffIds: readonly string[]
  /** `created_by` of each step that made the image, oldest first. */
  readonly history: readonly string[]
  readonly onBuild: readonly string[]
}

export interface FoundImage {
  readonly kind: 'found'
  /** Of the index, or of the manifest itself when there is no index. */
  readonly topDigest: Digest
  /** Of the platform's manifest. */
  readonly digest: Digest
  readonly config: ImageConfig
  /** The configuration as it is in the registry, parsed: all of it, nothing checked. */
  readonly configJson: unknown
  readonly layers: readonly Descriptor[]
  /** Of the platform's manifest. */
  readonly annotations: Readonly<Record<string, string>>
}

export type ImageConfigOutcome =
  | FoundImage
  | { readonly kind: 'missing' }
  | { readonly kind: 'no-platform'; readonly topDigest: Digest; readonly platforms: readonly string[] }

/**
 * Reads an image's config for one platform: one GET for each of index, manifest and config.
 * @throws ImageCacheError E_REGISTRY when the registry fails, or what it holds is no image
 */
export async function imageConfig(
  registry: Registry,
  reference: ImageReference,
  platform: Platform,
): Promise<ImageConfigOutcome> {
  const top = await registry.manifest(reference)
  if (top === undefined) return { kind: 'missing' }
  const chosen = await platformManifest(registry, reference, top, platform)
  if (!('manifest' in chosen)) return chosen
  const parsed = parseManifest(chosen.manifest)
  if (parsed.kind === 'index') throw noImage(reference, 'its index leads to another index')
  const bytes = await registry.blob(reference, parsed.config.digest)
  const json = bytes === undefined ? undefined : parseJson(bytes)
  if (!isJsonRecord(json))
    throw noImage(reference, bytes === undefined ? 'its config is gone' : 'its config is no JSON object')
  const config = readConfig(json)
  // Only an index states platforms beforehand; a single manifest is known by its config.
  const isOther =
    top.digest === chosen.manifest.digest && config.platform !== undefined && !runsOn(config.platform, platform)
  if (isOther && config.platform !== undefined) {
    return { kind: 'no-platform', topDigest: top.digest, platforms: [formatPlatform(config.platform)] }
  }
  return {
    kind: 'found',
    topDigest: top.digest,
    digest: chosen.manifest.digest,
    config,
    configJson: json,
    layers: parsed.layers,
    annotations: annotationsOf(chosen.manifest),
  }
}

function annotationsOf({ bytes }: RawManifest): Readonly<Record<string, string>> {
  const json = parseJson(bytes)
  return isJsonRecord(json) && isJsonRecord(json.annotations) ? textRecord(json.annotations) : {}
}

/** The platforms that an image has, attestations left out. A single manifest says nothing here: undefined. */
export function platformsOf(top: RawManifest): readonly Platform[] | undefined {
  const parsed = parseManifest(top)
  if (parsed.kind === 'image') return undefined
  return parsed.manifests.flatMap((entry) =>
    entry.platform === undefined || isAttestation(entry) ? [] : [entry.platform],
  )
}

async function platformManifest(
  registry: Registry,
  reference: ImageReference,
  top: RawManifest,
  platform: Platform,
): Promise<{ readonly manifest: RawManifest } | Exclude<ImageConfigOutcome, FoundImage>> {
  const parsed = parseManifest(top)
  if (parsed.kind === 'image') return { manifest: top }
  const entry = selectPlatform(parsed.manifests, platform)
  if (entry === undefined) {
    return { kind: 'no-platform', topDigest: top.digest, platforms: (platformsOf(top) ?? []).map(formatPlatform) }
  }
  const manifest = await registry.manifest(withDigest(reference, entry.digest))
  if (manifest === undefined) throw noImage(reference, `its manifest for ${formatPlatform(platform)} is gone`)
  return { manifest }
}

function readConfig(json: JsonRecord): ImageConfig {
  const config = isJsonRecord(json.config) ? json.config : {}
  const rootfs = isJsonRecord(json.rootfs) ? json.rootfs : {}
  return {
    env: textList(config.Env),
    workingDir: textField(config, 'WorkingDir') ?? '',
    user: textField(config, 'User') ?? '',
    entrypoint: textList(config.Entrypoint),
    cmd: textList(config.Cmd),
    shell: textList(config.Shell),
    labels: textRecord(config.Labels),
    platform: platformOf(json),
    diffIds: textList(rootfs.diff_ids),
    history: historyOf(json.history),
    onBuild: textList(config.OnBuild),
  }
}

function historyOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((step: unknown) => (isJsonRecord(step) ? (textField(step, 'created_by') ?? []) : []))
}

function runsOn(offered: Platform, wanted: Platform): boolean {
  return samePlatform(offered, wanted) || selectPlatform([{ platform: offered }], wanted) !== undefined
}

function noImage(reference: ImageReference, why: string): ImageCacheError {
  return new ImageCacheError('E_REGISTRY', `${familiarReference(reference)} can't be used: ${why}`, {
    hint: 'Push the image again.',
  })
}
