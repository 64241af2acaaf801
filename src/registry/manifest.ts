import { isDigest } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import { isJsonList, isJsonRecord, type JsonRecord, parseJson, textField, textRecord } from '../base/json-value.ts'
import type { Platform } from './platform.ts'
import type { Descriptor, RawManifest } from './registry.ts'

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const DOCKER_INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'

/** All four: a registry answers 404 for a tag whose media type is not accepted. */
export const MANIFEST_MEDIA_TYPES = [OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST] as const

/** An index of manifests, or the manifest of one image (or of what is stored like one). */
export type ParsedManifest =
  | { readonly kind: 'index'; readonly manifests: readonly Descriptor[] }
  | { readonly kind: 'image'; readonly config: Descriptor; readonly layers: readonly Descriptor[] }

/**
 * Reads a manifest or index of OCI's or Docker's kind (OCI image-spec, manifest.md and image-index.md).
 * @throws ImageCacheError E_REGISTRY when it is neither, or a digest in it is not sha256
 */
export function parseManifest(raw: Pick<RawManifest, 'mediaType' | 'bytes'>): ParsedManifest {
  const json = parseJson(raw.bytes)
  if (!isJsonRecord(json)) throw malformed('it is no JSON object')
  if (json.schemaVersion === 1)
    throw malformed('it has schema version 1, which is too old', 'Push the image again with a current tool.')
  const isIndex = raw.mediaType === OCI_INDEX || raw.mediaType === DOCKER_INDEX || isJsonList(json.manifests)
  // Else two tools could see two images in the same bytes (OCI image-spec, manifest.md, "mediaType").
  if (isIndex && (json.config !== undefined || json.layers !== undefined))
    throw malformed('it is an index and an image at once')
  if (isIndex) return { kind: 'index', manifests: descriptors(json.manifests, 'manifests') }
  return { kind: 'image', config: descriptor(json.config, 'config'), layers: descriptors(json.layers, 'layers') }
}

function descriptors(value: unknown, where: string): readonly Descriptor[] {
  // Go writes an empty list as null.
  if (value === null) return []
  if (!isJsonList(value)) throw malformed(`its ${where} are missing`)
  return value.map((item, index) => descriptor(item, `${where}[${index}]`))
}

function descriptor(value: unknown, where: string): Descriptor {
  if (!isJsonRecord(value)) throw malformed(`its ${where} is missing`)
  const digest = textField(value, 'digest') ?? ''
  if (!isDigest(digest)) throw malformed(`its ${where} has no sha256 digest`)
  const { size } = value
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw malformed(`its ${where} has no size`)
  const platform = isJsonRecord(value.platform) ? platformOf(value.platform) : undefined
  const annotations = isJsonRecord(value.annotations) ? textRecord(value.annotations) : undefined
  return {
    mediaType: textField(value, 'mediaType') ?? '',
    digest,
    size,
    ...(platform === undefined ? {} : { platform }),
    ...(annotations === undefined ? {} : { annotations }),
  }
}

/** Layers that stand in a manifest, but live elsewhere by licence (OCI image-spec, layer.md, "Non-Distributable Layers"). */
export function isForeign({ mediaType }: Pick<Descriptor, 'mediaType'>): boolean {
  return /\.(?:nondistributable|foreign)\./.test(mediaType)
}

/** The platform fields of a descriptor or an image config, or undefined when one is missing. */
export function platformOf(record: JsonRecord): Platform | undefined {
  const os = textField(record, 'os') ?? ''
  const architecture = textField(record, 'architecture') ?? ''
  const variant = textField(record, 'variant') ?? ''
  if (os === '' || architecture === '') return undefined
  return { os, architecture, ...(variant === '' ? {} : { variant }) }
}

function malformed(why: string, hint = 'Check that the name is one of an image.'): ImageCacheError {
  return new ImageCacheError('E_REGISTRY', `the manifest can't be used: ${why}`, { hint })
}
