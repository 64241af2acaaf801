import { type Digest, isDigest } from '../base/digest.ts'
import { isJsonRecord, type JsonRecord, textField } from '../base/json-value.ts'

/** A layer with all that a manifest and a configuration must say of it. */
export interface KeptLayer {
  readonly mediaType: string
  /** Of the compressed bytes. */
  readonly digest: Digest
  /** Compressed bytes. */
  readonly size: number
  /** Of the uncompressed tar (OCI image-spec, config.md, "rootfs"). */
  readonly diffId: Digest
}

/** Reads what `JSON.stringify` made of a layer; undefined when it is none. */
export function readKeptLayer(value: unknown): KeptLayer | undefined {
  if (!isJsonRecord(value)) return undefined
  const { size } = value
  const mediaType = layerMediaType(textField(value, 'mediaType') ?? '')
  const [digest, diffId] = [digestField(value, 'digest'), digestField(value, 'diffId')]
  if (mediaType === undefined || digest === undefined || diffId === undefined) return undefined
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size <= 0) return undefined
  return { mediaType, digest, size, diffId }
}

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar'

/** OCI's names for layers, and those of Docker that mean the same (image-spec, media-types.md, "Compatibility Matrix"). */
const LAYERS: Readonly<Record<string, string>> = {
  [OCI_LAYER]: OCI_LAYER,
  [`${OCI_LAYER}+gzip`]: `${OCI_LAYER}+gzip`,
  [`${OCI_LAYER}+zstd`]: `${OCI_LAYER}+zstd`,
  'application/vnd.docker.image.rootfs.diff.tar': OCI_LAYER,
  'application/vnd.docker.image.rootfs.diff.tar.gzip': `${OCI_LAYER}+gzip`,
  'application/vnd.docker.image.rootfs.diff.tar.zstd': `${OCI_LAYER}+zstd`,
}

/** The media type of a layer in an OCI manifest; undefined for what can't be put there, such as foreign layers. */
export function layerMediaType(given: string): string | undefined {
  return LAYERS[given]
}

/** The media type of a new layer. @param compression `zstd`, `gzip` or `uncompressed` */
export function compressedLayer(compression: string): string {
  // eStargz is gzip with an index, and named as gzip.
  const name = compression === 'estargz' ? 'gzip' : compression
  return name === 'uncompressed' ? OCI_LAYER : `${OCI_LAYER}+${name}`
}

function digestField(record: JsonRecord, name: string): Digest | undefined {
  const text = textField(record, name) ?? ''
  return isDigest(text) ? text : undefined
}
