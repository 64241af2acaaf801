import { ImageCacheError } from '../base/errors.ts'
import { type ConfigDifference, compareConfigs } from '../image-diff/compare-config.ts'
import { compareTrees, type FileDifference } from '../image-diff/compare-trees.ts'
import { type FoundImage, imageConfig } from '../registry/image-config.ts'
import type { Platform } from '../registry/platform.ts'
import { familiarReference, type ImageReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import { imageTree, type ReadLayers } from './image-tree.ts'

/** How two images differ; what noise was left out is counted. */
export interface ImageDiff {
  readonly equal: boolean
  readonly files: readonly FileDifference[]
  readonly config: readonly ConfigDifference[]
  /** Paths in both images together. */
  readonly compared: number
  /** Differences left out, by the name of the rule. */
  readonly ignored: ReadonlyMap<string, number>
}

/**
 * Compares two images as a container would see them: their layers merged into one file system each, and what they set
 * for containers. Layers are streamed and only digests of files are kept; layers that both have at the bottom of their
 * images are read once.
 * @throws ImageCacheError E_REGISTRY when one of them is not there or a layer can't be read
 */
export async function compareImages(
  a: ImageReference,
  b: ImageReference,
  platform: Platform,
  registry: Registry,
): Promise<ImageDiff> {
  const [left, right] = await Promise.all([find(a, platform, registry), find(b, platform, registry)])
  const known: ReadLayers = new Map()
  const trees = [
    await imageTree(a, left.layers, registry, known),
    await imageTree(b, right.layers, registry, known),
  ] as const
  const { differences, ignored } = compareTrees(...trees)
  const config = compareConfigs(left.configJson, right.configJson)
  return {
    equal: differences.length === 0 && config.length === 0,
    files: differences,
    config,
    compared: new Set([...trees[0].keys(), ...trees[1].keys()]).size,
    ignored,
  }
}

async function find(reference: ImageReference, platform: Platform, registry: Registry): Promise<FoundImage> {
  const found = await imageConfig(registry, reference, platform)
  if (found.kind === 'found') return found
  const name = familiarReference(reference)
  const sentence =
    found.kind === 'missing' ? `${name} is not there` : `${name} is for ${found.platforms.join(', ')} alone`
  throw new ImageCacheError('E_REGISTRY', sentence, { hint: 'Check the name, and the platform.' })
}
