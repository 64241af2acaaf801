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

/** Answer to a look-up: the whole key of the newest entry whose key begins with the prefix. */
export type LookUp = { readonly kind: 'hit'; readonly key: StoreKey } | { readonly kind: 'miss' } | Unavailable

/** Answer to a fetch: the entry with its content, verified as the store can. */
export type Fetch =
  | { readonly kind: 'hit'; readonly key: StoreKey; readonly body: Uint8Array }
  | { readonly kind: 'miss' }
  | Unavailable

/** Answer to a save: entries are immutable, `exists` means that another writer was first. */
export type Save = { readonly kind: 'saved' } | { readonly kind: 'exists' } | Unavailable

/** Keeps small immutable entries by key. No method throws for a store that is down, read-only or broken. */
export interface Store {
  /** How the store calls itself in reports: `local`, `actions`, `s3`. */
  readonly name: string
  /** Newest entry with this prefix, in one request, without its content. */
  lookUp(prefix: string): Promise<LookUp>
  /** Newest entry with this prefix and its content. A broken entry is a miss. */
  fetch(prefix: string): Promise<Fetch>
  save(key: StoreKey, body: Uint8Array): Promise<Save>
}
