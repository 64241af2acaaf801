import { isDigest } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import { imageConfig } from '../registry/image-config.ts'
import type { Platform } from '../registry/platform.ts'
import { familiarReference, type ImageReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import { type KeptLayer, layerMediaType } from './kept-layer.ts'

/** An image that the builder has pushed, with its layers. */
export interface BuiltLayers {
  /** Bottom first. */
  readonly layers: readonly KeptLayer[]
  /** Its configuration, parsed. */
  readonly configJson: unknown
}

/**
 * Reads the layers of an image in a registry, bottom first.
 * @throws ImageCacheError E_REGISTRY when it is gone, or its layers can't stand in an OCI manifest
 */
export async function builtLayers(
  registry: Registry,
  reference: ImageReference,
  platform: Platform,
): Promise<BuiltLayers> {
  const found = await imageConfig(registry, reference, platform)
  if (found.kind !== 'found') throw unusable(reference, 'it is not there')
  const { layers, config, configJson } = found
  const kept = keptLayers(layers, config.diffIds)
  if (typeof kept === 'string') throw unusable(reference, kept)
  return { layers: kept, configJson }
}

/** Descriptors joined with the digests of their tars; a sentence when they don't fit together. */
export function keptLayers(
  layers: readonly Omit<KeptLayer, 'diffId'>[],
  diffIds: readonly string[],
): readonly KeptLayer[] | string {
  if (layers.length !== diffIds.length) return 'its configuration does not tell of all its layers'
  const kept = layers.flatMap(({ mediaType, digest, size }, index): KeptLayer[] => {
    const [type, diffId = ''] = [layerMediaType(mediaType), diffIds[index]]
    return type === undefined || !isDigest(diffId) ? [] : [{ mediaType: type, digest, size, diffId }]
  })
  return kept.length === layers.length ? kept : 'it has a layer of an unusual kind'
}

function unusable(reference: ImageReference, why: string): ImageCacheError {
  return new ImageCacheError('E_REGISTRY', `${familiarReference(reference)} can't be used: ${why}`, {
    hint: 'Run the job again; with assemble: linked the builder makes the whole image.',
  })
}
