import type { Digest } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import { isJsonList, isJsonRecord, type JsonRecord, parseJson, textRecord } from '../base/json-value.ts'
import type { Annotation } from './annotation.ts'
import { parseManifest, platformOf } from './manifest.ts'
import { isAttestation, type Platform, parsePlatform, samePlatform } from './platform.ts'
import { familiarReference, type ImageReference, withDigest } from './reference.ts'
import type { Descriptor, RawManifest, Registry } from './registry.ts'

/** Labels and annotations that an image is to have, beside those that it has. */
export interface ImageMarks {
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: readonly Annotation[]
}

/** `same`: it has them already. Layers stay as they are in any case. */
export type RelabelResult =
  | { readonly kind: 'missing' }
  | { readonly kind: 'same'; readonly digest: Digest }
  | {
      readonly kind: 'relabelled'
      readonly digest: Digest
      /** Attestations of the old image that the new one goes without: they speak of the old one's digest. */
      readonly attestationsLeft: number
    }

/** A manifest that is not put yet. */
interface NewManifest {
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly changed: boolean
  readonly attestationsLeft: number
}

/**
 * Makes an image with other labels and annotations out of one that is there, in the same repository and without a tag:
 * a new configuration and manifest for each platform, and a new index where there was one. The old image stays. The same
 * marks give the same digest.
 * @throws RegistryError when the registry fails; ImageCacheError E_REGISTRY when what it holds is no image
 */
export async function relabelImage(
  registry: Registry,
  source: ImageReference,
  marks: ImageMarks,
): Promise<RelabelResult> {
  const top = await registry.manifest(source)
  if (top === undefined) return { kind: 'missing' }
  const renewed = await renew(registry, source, top, undefined, marks)
  if (!renewed.changed) return { kind: 'same', digest: top.digest }
  const digest = await putUntagged(registry, source, renewed)
  return { kind: 'relabelled', digest, attestationsLeft: renewed.attestationsLeft }
}

async function renew(
  registry: Registry,
  source: ImageReference,
  manifest: RawManifest,
  platform: Platform | undefined,
  marks: ImageMarks,
): Promise<NewManifest> {
  const parsed = parseManifest(manifest)
  if (parsed.kind === 'index') return await renewIndex(registry, source, manifest, parsed.manifests, marks)
  return await renewImage(registry, source, manifest, parsed.config, platform, marks)
}

async function renewImage(
  registry: Registry,
  source: ImageReference,
  manifest: RawManifest,
  config: Descriptor,
  platform: Platform | undefined,
  marks: ImageMarks,
): Promise<NewManifest> {
  const bytes = await registry.blob(source, config.digest)
  const json = bytes === undefined ? undefined : parseJson(bytes)
  if (!isJsonRecord(json)) throw noImage(source, 'its configuration is gone or no JSON object')
  const container = isJsonRecord(json.config) ? json.config : {}
  const labels = textRecord(container.Labels)
  const top = readObject(manifest)
  const annotations = annotationsFor('manifest', platform ?? platformOf(json), marks)
  const isLabelled = hasAll(labels, marks.labels)
  if (isLabelled && hasAll(textRecord(top.annotations), annotations)) return unchanged(manifest)

  const newConfig = isLabelled
    ? undefined
    : encode({ ...json, config: { ...container, Labels: { ...labels, ...Object.fromEntries(marks.labels) } } })
  const digest = newConfig === undefined ? config.digest : await registry.putBlob(source, newConfig)
  const described = isJsonRecord(top.config) ? top.config : {}
  return changed(manifest, 0, {
    ...top,
    config: { ...described, digest, size: newConfig?.length ?? config.size },
    ...withAnnotations(top, annotations),
  })
}

async function renewIndex(
  registry: Registry,
  source: ImageReference,
  index: RawManifest,
  entries: readonly Descriptor[],
  marks: ImageMarks,
): Promise<NewManifest> {
  const renewed = await Promise.all(
    entries.map(async (entry) => {
      if (isAttestation(entry)) return undefined
      const child = await registry.manifest(withDigest(source, entry.digest))
      if (child === undefined) throw noImage(source, `its manifest ${entry.digest} is gone`)
      return await renew(registry, source, child, entry.platform, marks)
    }),
  )
  const top = readObject(index)
  const annotations = annotationsFor('index', undefined, marks)
  const someChanged = renewed.some((child) => child?.changed === true)
  if (!someChanged && hasAll(textRecord(top.annotations), annotations)) return unchanged(index)

  const written = isJsonList(top.manifests) ? top.manifests : []
  const manifests = await Promise.all(
    renewed.map(async (child, at): Promise<readonly unknown[]> => {
      const entry = written[at]
      // What is said of a manifest that is not in the new index any more would be said of nothing.
      if (child === undefined) return someChanged ? [] : [entry]
      if (!child.changed || !isJsonRecord(entry)) return [entry]
      const digest = await putUntagged(registry, source, child)
      return [{ ...entry, digest, size: child.bytes.length }]
    }),
  )
  const left = someChanged ? renewed.filter((child) => child === undefined).length : 0
  return changed(index, left, { ...top, manifests: manifests.flat(), ...withAnnotations(top, annotations) })
}

function annotationsFor(
  level: 'manifest' | 'index',
  platform: Platform | undefined,
  { annotations }: ImageMarks,
): ReadonlyMap<string, string> {
  const fitting = annotations.filter((annotation) => {
    if (!annotation.levels.includes(level)) return false
    if (annotation.platform === undefined) return true
    const wanted = parsePlatform(annotation.platform)
    return typeof wanted !== 'string' && platform !== undefined && samePlatform(wanted, platform)
  })
  return new Map(fitting.map(({ name, value }) => [name, value]))
}

function hasAll(present: Readonly<Record<string, string>>, wanted: ReadonlyMap<string, string>): boolean {
  return [...wanted].every(([name, value]) => present[name] === value)
}

function withAnnotations(top: JsonRecord, annotations: ReadonlyMap<string, string>): JsonRecord {
  if (annotations.size === 0) return {}
  return { annotations: { ...textRecord(top.annotations), ...Object.fromEntries(annotations) } }
}

function changed({ mediaType }: RawManifest, attestationsLeft: number, content: JsonRecord): NewManifest {
  return { mediaType, bytes: encode(content), changed: true, attestationsLeft }
}

function unchanged({ mediaType, bytes }: RawManifest): NewManifest {
  return { mediaType, bytes, changed: false, attestationsLeft: 0 }
}

/** Fields keep their order, so that the same marks give the same bytes. */
function encode(content: JsonRecord): Uint8Array {
  return Buffer.from(JSON.stringify(content))
}

function readObject({ bytes }: RawManifest): JsonRecord {
  const json = parseJson(bytes)
  return isJsonRecord(json) ? json : {}
}

async function putUntagged(registry: Registry, source: ImageReference, manifest: NewManifest): Promise<Digest> {
  const { registry: host, path } = source
  return await registry.putManifest({ registry: host, path }, manifest)
}

function noImage(reference: ImageReference, why: string): ImageCacheError {
  return new ImageCacheError('E_REGISTRY', `${familiarReference(reference)} can't be labelled anew: ${why}`, {
    hint: 'Build the image again with `force: true`, or leave out `retag-labels`.',
  })
}
