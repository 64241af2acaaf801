import { ImageCacheError } from '../base/errors.ts'
import { type FileTree, mergeLayers } from '../image-diff/file-tree.ts'
import { readLayer } from '../image-diff/read-layer.ts'
import { familiarReference, type ImageReference } from '../registry/reference.ts'
import type { Descriptor, Registry } from '../registry/registry.ts'

/** Layers that were read or are being read, by their digests: images share them. */
export type ReadLayers = Map<string, ReturnType<typeof readLayer>>

/**
 * An image's file system, its layers merged. They are streamed, and of files only what says that they are the same is kept.
 * @param layers bottom first
 * @throws ImageCacheError E_REGISTRY when a layer can't be read
 */
export async function imageTree(
  reference: ImageReference,
  layers: readonly Descriptor[],
  registry: Registry,
  known: ReadLayers = new Map(),
): Promise<FileTree> {
  const entries: Awaited<ReturnType<typeof readLayer>>[] = []
  // One at a time: a layer of many files takes memory and a core while it is read.
  for (const { digest, size, mediaType } of layers) {
    const reading = known.get(digest) ?? readLayer(registry.blobChunks(reference, digest, size), mediaType)
    known.set(digest, reading)
    entries.push(
      await reading.catch((cause: unknown) => {
        throw new ImageCacheError('E_REGISTRY', `${familiarReference(reference)}: layer ${digest} can't be read`, {
          hint: 'Push the image again.',
          cause,
        })
      }),
    )
  }
  return mergeLayers(entries)
}
