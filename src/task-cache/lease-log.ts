import type { Clock } from '../base/clock.ts'
import type { Digest } from '../base/digest.ts'
import { parseJson } from '../base/json-value.ts'
import type { Save, Store, StoreKey, Unavailable } from '../stores/store.ts'
import { storeKey, withValue } from '../stores/store-key.ts'

/** One entry of a lease: somebody holds it, or nobody does. Number 0 is no entry at all. */
export type LeaseEntry =
  | {
      readonly number: number
      readonly kind: 'held'
      readonly owner: string
      /** Seconds without a newer entry after which the owner counts as dead. */
      readonly expiry: number
    }
  | { readonly number: number; readonly kind: 'free' }

export interface LeaseLogOptions {
  readonly store: Store
  readonly clock: Clock
  readonly owner: string
  readonly heartbeat: number
  readonly salt?: string
}

/** The entries of one lease, in a store. */
export interface LeaseLog {
  /** The newest entry, or the known one when nothing newer can be read. */
  newest(known: LeaseEntry): Promise<LeaseEntry | Unavailable>
  /** Creates the entry of a number for this owner: `exists` when somebody else has. */
  take(number: number): Promise<Save>
  /** What is to be thought of an entry that exists and can't be read. */
  unread(number: number): LeaseEntry
  /** Creates the entry that says that nobody holds the lease. */
  letGo(number: number): Promise<Save>
}

/** Of a heartbeat: how many may be missed. */
const EXPIRY = 4
/** What an entry may ask others to wait, in seconds, whatever it says. */
const LONGEST_EXPIRY = 900

/** Opens the lease of a key: entries `lease-<key>-<number>`. */
export function openLeaseLog(key: Digest, options: LeaseLogOptions): LeaseLog {
  const store = options.store.leases ?? options.store
  const prefix = `${storeKey('lease', options.salt ?? '', key)}-`
  const expiry = options.heartbeat * EXPIRY
  const keyOf = (number: number): StoreKey => withValue(prefix.slice(0, -1), String(number).padStart(8, '0'))
  const unread = (number: number): LeaseEntry => ({ number, kind: 'held', owner: 'another run', expiry })
  const create = (number: number, body: object): Promise<Save> =>
    store.save(keyOf(number), Buffer.from(JSON.stringify({ ...body, at: new Date(options.clock.now()).toISOString() })))
  return {
    unread,
    take: (number) => create(number, { kind: 'held', owner: options.owner, expiry }),
    letGo: async (number) => {
      // What is kept back must be there before others are told to look for it.
      await options.store.flush?.()
      return create(number, { kind: 'free', owner: options.owner })
    },
    newest: async (known) => {
      const found = await store.lookUp(prefix)
      if (found.kind === 'unavailable') return found
      const number = found.kind === 'hit' ? numberIn(found.key, prefix) : 0
      if (found.kind === 'miss' || number <= known.number) return known
      const entry = await store.fetch(found.key)
      return entry.kind === 'hit' ? (readEntry(number, entry.body) ?? unread(number)) : unread(number)
    },
  }
}

function numberIn(key: StoreKey, prefix: string): number {
  const text = key.slice(prefix.length)
  return key.startsWith(prefix) && /^\d{8}$/.test(text) ? Number(text) : 0
}

/** Reads an entry that others wrote; undefined when it says nothing that can be used. */
function readEntry(number: number, body: Uint8Array): LeaseEntry | undefined {
  const value = parseJson(Buffer.from(body).toString())
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined
  if (value.kind === 'free') return { number, kind: 'free' }
  if (!('owner' in value) || !('expiry' in value)) return undefined
  const { owner, expiry } = value
  if (value.kind !== 'held' || typeof owner !== 'string' || typeof expiry !== 'number' || !(expiry > 0))
    return undefined
  return { number, kind: 'held', owner: owner.slice(0, 200), expiry: Math.min(expiry, LONGEST_EXPIRY) }
}
