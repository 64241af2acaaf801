import { type Digest, digestOf, isDigest } from '../base/digest.ts'
import { type EntrySeal, openSeal } from './entry-seal.ts'
import type { StoreKey } from './store.ts'

/** An entry as it lies in a store: its own key and its content. */
export interface StoredEntry {
  readonly key: StoreKey
  readonly body: Uint8Array
}

/** What an entry says of itself. */
export interface EntryFooter {
  readonly key: StoreKey
  /** Of the content alone. */
  readonly digest: Digest
  readonly mark: string
}

const MAGIC = 'image-cache-entry 2'
/** The longest key, digest, mark and magic fit; of fixed length, so that it is found from the end. */
export const FOOTER_BYTES = 1024

/**
 * Writes an entry as its content and a footer of `magic, key, digest, mark` on a line each. An entry that was cut off,
 * changed, or put under another key is recognised; a large one is written and read without going back.
 */
export function encodeEntry({ key, body }: StoredEntry, seal: EntrySeal = openSeal): Uint8Array {
  return Buffer.concat([body, encodeFooter(key, digestOf(body), seal)])
}

/** Reads an entry that was asked for by its key; a text says why it is not believed. */
export function decodeEntry(bytes: Uint8Array, key: StoreKey, seal: EntrySeal = openSeal): StoredEntry | string {
  const end = Math.max(bytes.length - FOOTER_BYTES, 0)
  const body = new Uint8Array(bytes.subarray(0, end))
  const doubt = doubtEntry(decodeFooter(bytes.subarray(end)), key, digestOf(body), seal)
  return doubt ?? { key, body }
}

export function encodeFooter(key: StoreKey, digest: Digest, seal: EntrySeal): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES, ' ')
  footer.write([MAGIC, key, digest, seal.mark(key, digest), ''].join('\n'), 'latin1')
  return footer
}

/** Reads the last bytes of an entry; undefined when they are no footer. */
export function decodeFooter(end: Uint8Array): EntryFooter | undefined {
  if (end.length !== FOOTER_BYTES) return undefined
  const [magic, key, digest, mark, ...rest] = Buffer.from(end).toString('latin1').split('\n')
  if (magic !== MAGIC || key === undefined || digest === undefined || mark === undefined) return undefined
  return isDigest(digest) && rest.length === 1 && /^ *$/.test(rest.join()) ? { key, digest, mark } : undefined
}

/** Why an entry is not believed: it is broken, another one, or badly signed; undefined when nothing speaks against it. */
export function doubtEntry(
  footer: EntryFooter | undefined,
  key: StoreKey,
  digest: Digest | undefined,
  seal: EntrySeal,
): string | undefined {
  if (footer === undefined || digest === undefined) return 'the entry is cut off or not one of ours'
  if (footer.key !== key) return 'the entry was written under another key'
  if (footer.digest !== digest) return 'the content of the entry was changed'
  return seal.doubt(key, digest, footer.mark)
}
