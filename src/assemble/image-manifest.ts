import { type Digest, digestOf } from '../base/digest.ts'
import { isJsonList, isJsonRecord, parseJson } from '../base/json-value.ts'
import { OCI_MANIFEST } from '../registry/manifest.ts'
import type { KeptLayer } from './kept-layer.ts'
import { encode, OCI_CONFIG } from './layer-manifest.ts'

/** A manifest and a configuration, as they are sent. */
export interface ComposedImage {
  readonly config: Uint8Array
  readonly configDigest: Digest
  readonly manifest: Uint8Array
  readonly digest: Digest
  readonly layers: readonly KeptLayer[]
}

/**
 * Writes an image of layers that are there already.
 * @param settings configuration without layers and times, JSON, its history telling of as many layers as there are
 * @param layers bottom first
 * @param created RFC 3339
 * @param annotations of the manifest
 * @throws RangeError when history and layers don't match: tools that show an image would go wrong
 */
export function composeImage(
  settings: string,
  layers: readonly KeptLayer[],
  created: string,
  annotations: Readonly<Record<string, string>> = {},
): ComposedImage {
  const json = parseJson(settings)
  if (!isJsonRecord(json)) throw new RangeError('the configuration is no JSON object')
  const history = isJsonList(json.history) ? json.history.filter(isJsonRecord) : []
  const told = history.filter((entry) => entry.empty_layer !== true).length
  if (told !== layers.length) throw new RangeError(`the history tells of ${told} layers, there are ${layers.length}`)
  const config = encode({
    ...json,
    created,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: history.map((entry) => (entry.created === undefined ? { created, ...entry } : entry)),
  })
  const manifest = encode({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  })
  return { config, configDigest: digestOf(config), manifest, digest: digestOf(manifest), layers }
}
