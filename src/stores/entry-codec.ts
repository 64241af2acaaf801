import { digestOf } from '../base/digest.ts'
import type { StoreKey } from './store.ts'

/** An entry as it lies in a store: its own key and its content. */
export interface StoredEntry {
  readonly key: StoreKey
  readonly body: Uint8Array
}

const MAGIC = 'image-cache-entry 1'
/** Magic, digest and key with their line ends; the longest key has 512 characters. */
const MAX_HEADER = 1024

/**
 * Writes an entry as `magic, digest, key` on a line each, then the content. The digest covers key and content: an entry
 * that was cut off, changed, or put under another key is recognised.
 */
export function encodeEntry({ key, body }: StoredEntry): Uint8Array {
  const keyed = Buffer.concat([Buffer.from(`${key}\n`), body])
  return Buffer.concat([Buffer.from(`${MAGIC}\n${digestOf(keyed)}\n`), keyed])
}

/** Reads an entry; undefined when anything about it is not as it was written. */
export function decodeEntry(bytes: Uint8Array): StoredEntry | undefined {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = all.subarray(0, MAX_HEADER).toString('latin1').split('\n', 3)
  const [magic, digest, key] = header
  if (magic !== MAGIC || digest === undefined || key === undefined) return undefined
  const keyed = all.subarray(magic.length + digest.length + 2)
  if (keyed.length <= key.length || digestOf(keyed) !== digest) return undefined
  return { key, body: new Uint8Array(keyed.subarray(key.length + 1)) }
}

/** The key of an entry from its first bytes alone, not verified. */
export function readEntryKey(start: Uint8Array): StoreKey | undefined {
  const [magic, , key, rest] = Buffer.from(start).toString('latin1').split('\n', 4)
  return magic === MAGIC && rest !== undefined ? key : undefined
}
