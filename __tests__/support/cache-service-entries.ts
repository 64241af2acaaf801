import type { TokenScope } from './cache-service-token.ts'

/** One entry, or the reservation of one while `finalized` is false. */
export interface CacheEntry {
  readonly id: number
  readonly scope: string
  readonly key: string
  readonly version: string
  readonly blobId: string
  readonly size: number
  readonly finalized: boolean
}

/** What a reader asks for: the first key, then the restore keys in their order. */
export interface Wanted {
  readonly keys: readonly string[]
  readonly version: string
}

/** The entries of one repository: immutable per scope, key and version; keys are compared without case. */
export class CacheEntries {
  readonly #entries: CacheEntry[] = []
  #lastId = 0

  /** Reserves a key. @returns undefined when the key is taken, be it finalised or only reserved. */
  reserve(scope: string, key: string, version: string): CacheEntry | undefined {
    if (this.#find(scope, key, version) !== undefined) return undefined
    this.#lastId += 1
    const id = this.#lastId
    const entry = { id, scope, key, version, blobId: `blob-${id}`, size: 0, finalized: false }
    this.#entries.push(entry)
    return entry
  }

  reserved(scope: string, key: string, version: string): CacheEntry | undefined {
    const entry = this.#find(scope, key, version)
    return entry?.finalized === false ? entry : undefined
  }

  finalize(entry: CacheEntry, size: number): void {
    this.#entries[this.#entries.indexOf(entry)] = { ...entry, size, finalized: true }
  }

  /**
   * Own ref first, then base and default branch, in the order of the token's scopes; in each scope the keys in their
   * order, each first as a whole and then as a beginning, the newest first (GitHub's "cache key matching").
   */
  match(scopes: readonly TokenScope[], { keys, version }: Wanted): CacheEntry | undefined {
    for (const { scope } of scopes.filter(({ permission }) => permission !== 'write')) {
      const readable = this.#entries.filter(
        (entry) => entry.scope === scope && entry.version === version && entry.finalized,
      )
      const newestFirst = readable.reverse()
      for (const key of keys.map((text) => text.toLowerCase())) {
        const whole = newestFirst.find((entry) => entry.key.toLowerCase() === key)
        const found = whole ?? newestFirst.find((entry) => entry.key.toLowerCase().startsWith(key))
        if (found !== undefined) return found
      }
    }
    return undefined
  }

  all(): readonly CacheEntry[] {
    return [...this.#entries]
  }

  evict(key: string): void {
    const kept = this.#entries.filter((entry) => entry.key !== key)
    this.#entries.splice(0, this.#entries.length, ...kept)
  }

  clear(): void {
    this.#entries.length = 0
  }

  #find(scope: string, key: string, version: string): CacheEntry | undefined {
    const wanted = key.toLowerCase()
    return this.#entries.find(
      (entry) => entry.scope === scope && entry.key.toLowerCase() === wanted && entry.version === version,
    )
  }
}
