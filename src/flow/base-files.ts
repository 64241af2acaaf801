import type { Deps } from '../deps.ts'
import { type BaseFiles, decodeBaseFiles, encodeBaseFiles, readBaseFiles } from '../image/base-files.ts'
import { storeKey } from '../stores/store-key.ts'
import type { KnownBase } from './base-images.ts'
import { imageTree } from './image-tree.ts'
import { recallNote, saveNote } from './notes.ts'

/** Compressed bytes of a base image that is read for what its files tell: more would cost more time than it saves. */
const MOST_BYTES = 200e6

/**
 * What the files of a base image tell. They are read once, layer by layer, and what counts is remembered under the
 * image's digest.
 * @returns undefined where they can't be read or are too many
 */
export async function baseFiles(
  base: Pick<KnownBase, 'reference' | 'layers'>,
  deps: Pick<Deps, 'store' | 'registry' | 'clock' | 'saveLater'>,
): Promise<BaseFiles | undefined> {
  const { digest } = base.reference
  if (digest === undefined || base.layers.length === 0) return undefined
  const key = storeKey('base-files', '', { digest })
  const note = await recallNote(key, deps.store)
  const known = note === undefined ? undefined : decodeBaseFiles(note)
  if (known !== undefined) return known
  if (base.layers.reduce((sum, { size }) => sum + size, 0) > MOST_BYTES) return undefined
  // What a registry fails to give is told where it is needed for the build.
  const tree = await imageTree(base.reference, base.layers, deps.registry).catch(() => undefined)
  if (tree === undefined) return undefined
  const files = readBaseFiles(tree)
  saveNote(key, encodeBaseFiles(files), deps)
  return files
}
