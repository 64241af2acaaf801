import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { Digest } from '../base/digest.ts'
import type { StoreKey } from './store.ts'

/** The mark at the end of an entry by which a reader knows who wrote it. */
export interface EntrySeal {
  /** Whether it tells entries of one writer from those of others; without it a mark says nothing. */
  readonly signs: boolean
  /** One line without line end, at most 300 characters. */
  mark(key: StoreKey, digest: Digest): string
  /** Why an entry with this mark is not believed; undefined when it is. */
  doubt(key: StoreKey, digest: Digest, mark: string): string | undefined
}

export interface SignedSealOptions {
  readonly secret: string
  /** Scope in which this run writes, as `trustScope` names it. */
  readonly writes: string
  /** Scopes whose entries are believed. */
  readonly reads: readonly string[]
}

/** Entries without a signature: whoever may write to the store is believed. */
export const openSeal: EntrySeal = {
  signs: false,
  mark: () => '',
  doubt: () => undefined,
}

/**
 * Signs entries with HMAC-SHA-256 over key, scope and digest of the content. Each scope has a key of its own, derived
 * from the secret by HKDF (RFC 5869): an entry that was copied into another scope, or put under another key, is not
 * believed there.
 */
export function signedSeal({ secret, writes, reads }: SignedSealOptions): EntrySeal {
  const keys = new Map([writes, ...reads].map((scope) => [scope, scopeKey(secret, scope)]))
  const sign = (scope: string, key: StoreKey, digest: Digest): Buffer =>
    createHmac('sha256', keys.get(scope) ?? scopeKey(secret, scope))
      // No part can hold a line end: keys and digests have none by their alphabet, scopes are written without any.
      .update(`${key}\n${scope}\n${digest}`)
      .digest()
  return {
    signs: true,
    mark: (key, digest) => `signed ${sign(writes, key, digest).toString('hex')} ${writes}`,
    doubt: (key, digest, mark) => {
      const [, hex, scope] = /^signed ([0-9a-f]{64}) (\S+)$/.exec(mark) ?? []
      if (hex === undefined || scope === undefined) return 'the entry is not signed'
      if (!reads.includes(scope)) return `the entry was written in the scope ${scope}, which is not read here`
      const isRight = timingSafeEqual(Buffer.from(hex, 'hex'), sign(scope, key, digest))
      return isRight ? undefined : 'the signature of the entry is wrong'
    },
  }
}

function scopeKey(secret: string, scope: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `image-cache entries v1 ${scope}`, 32))
}
