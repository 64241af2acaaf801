import { digestOf } from '../base/digest.ts'
import { isJsonRecord, parseJson, textField } from '../base/json-value.ts'
import { OCI_MANIFEST, parseManifest } from '../registry/manifest.ts'
import type { Platform } from '../registry/platform.ts'
import type { RawManifest } from '../registry/registry.ts'
import { type KeptLayer, readKeptLayer } from './kept-layer.ts'

export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json'
const DIFF_ID = 'image-cache.diff-id'

/** A manifest that keeps one layer in its repository, with its configuration. */
export interface LayerManifest {
  readonly config: Uint8Array
  readonly manifest: Uint8Array
}

/**
 * The manifest under a layer's own tag: an image of that layer alone, so that registries keep it, tools can show it, and
 * one request tells all of it.
 * @param createdBy for the history: what is in it
 */
export function layerManifest(layer: KeptLayer, platform: Platform, createdBy: string): LayerManifest {
  const { diffId, ...descriptor } = layer
  const config = encode({
    ...platform,
    config: {},
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created_by: createdBy, comment: 'image-cache' }],
  })
  const manifest = encode({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
    layers: [descriptor],
    annotations: { [DIFF_ID]: diffId },
  })
  return { config, manifest }
}

/** The layer that a manifest of ours keeps; undefined when it is another kind of manifest. */
export function readLayerManifest(raw: RawManifest): KeptLayer | undefined {
  const json = parseJson(raw.bytes)
  const parsed = raw.mediaType === OCI_MANIFEST ? parseManifest(raw) : undefined
  if (!isJsonRecord(json) || parsed?.kind !== 'image' || parsed.layers.length !== 1) return undefined
  const diffId = isJsonRecord(json.annotations) ? textField(json.annotations, DIFF_ID) : undefined
  return readKeptLayer({ ...parsed.layers[0], diffId })
}

export function encode(json: object): Uint8Array {
  return Buffer.from(JSON.stringify(json))
}
