import type { Digest } from '../base/digest.ts'

/**
 * A key of a store entry: `<prefix>-<64 hex>` parts, lower case `[a-z0-9._-]`, at most 512 characters, no comma
 * (limits of GitHub's cache service). Every part that varies ends in a digest of fixed length, so that no key is the
 * beginning of another by accident.
 */
export type StoreKey = string

/** Why a store gave no answer: not a miss. A caller goes on as if there were no cache and says so. */
export interface Unavailable {
  readonly kind: 'unavailable'
  readonly reason: string
}

/** There is no such entry; `reason` says of one that is there why it is not believed, such as a wrong signature. */
export interface Miss {
  readonly kind: 'miss'
  readonly reason?: string
}

/** Answer to a look-up: the whole key of the newest entry whose key begins with the prefix. */
export type LookUp = { readonly kind: 'hit'; readonly key: StoreKey } | Miss | Unavailable

/** Answer to a fetch: the entry with its content, verified as the store can. */
export type Fetch = { readonly kind: 'hit'; readonly key: StoreKey; readonly body: Uint8Array } | Miss | Unavailable

/** Answer to a fetch into a file: size and digest of the content, which was compared with what was saved. */
export type FetchFile =
  | { readonly kind: 'hit'; readonly key: StoreKey; readonly bytes: number; readonly digest: Digest }
  | Miss
  | Unavailable

/**
 * Answer to the opening of an entry where it lies: a descriptor of an open file that holds the content in its first
 * bytes. Whoever asked closes it.
 */
export type OpenFile =
  | { readonly kind: 'hit'; readonly key: StoreKey; readonly descriptor: number; readonly bytes: number }
  | Miss
  | Unavailable

/** Answer to a save: entries are immutable, `exists` means that another writer was first. */
export type Save = { readonly kind: 'saved' } | { readonly kind: 'exists' } | Unavailable

/** Keeps immutable entries by key. No method throws for a store that is down, read-only or broken. */
export interface Store {
  /** How the store calls itself in reports: `local`, `actions`, `s3`. */
  readonly name: string
  /** Newest entry with this prefix, in one request, without its content. */
  lookUp(prefix: string): Promise<LookUp>
  /** Newest entry with this prefix and its content, for small entries. A broken entry is a miss. */
  fetch(prefix: string): Promise<Fetch>
  /** Keeps a small entry, if there is none with this key. */
  save(key: StoreKey, body: Uint8Array): Promise<Save>
  /**
   * Writes the content of the newest entry with this prefix to a new file, however large, in constant memory.
   * @param to path of a file that is not there yet, in a folder that is; on anything but a hit nothing is left at it
   */
  fetchFile(prefix: string, to: string): Promise<FetchFile>
  /**
   * Keeps the content of a file, however large, in constant memory, if there is no entry with this key.
   * @param from path of a file that nobody writes to meanwhile
   */
  saveFile(key: StoreKey, from: string): Promise<Save>
  /**
   * Opens the newest entry with this prefix where it lies, for stores on this machine: nothing is copied, and the
   * content is not compared with what was saved. For readers whose format tells a damage itself.
   */
  openFile?(prefix: string): Promise<OpenFile>
  /** Whether large entries are best saved as they are: their bytes cross no network, and packing takes time. */
  readonly prefersPlain?: boolean
  /** Loads what the first call needs; never fails. A call does it by itself, but then it has to wait. */
  prepare?(): Promise<void>
  /** Where leases are kept, if not here: they must not wait for other calls, and be seen by others at once. */
  readonly leases?: Store
  /** Entries that are kept back until `flush`, in this process or a later one of the same run. */
  readonly pending?: readonly StoreKey[]
  /** Hands over what was kept back; answers a sentence for each entry that could not be. */
  flush?(): Promise<readonly string[]>
}
