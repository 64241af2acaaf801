import { hexOf } from '../base/digest.ts'
import { type KeyValue, keyHash } from '../base/key-hash.ts'
import type { StoreKey } from './store.ts'

/** Goes up when the meaning of keys or entries changes, so that old and new versions never read each other's. */
const FORMAT = 'v1'
const MAX_LENGTH = 512

/**
 * Makes a key: `image-cache-v1-<kind>-<64 hex>-<64 hex>…`, one digest for each part. The salt goes into the first
 * digest, so another salt changes every key at once.
 * @param kind what is stored, such as `image` or `lease`: lower-case letters, digits and dashes
 * @param parts what the entry is about, from the general to the particular; a key made of the first parts alone is a
 * prefix to look up by
 * @throws RangeError when the kind is no such word, there are no parts, or the key gets longer than 512 characters
 */
export function storeKey(kind: string, salt: string, ...parts: readonly KeyValue[]): StoreKey {
  if (!/^[a-z][a-z0-9-]*$/.test(kind)) throw new RangeError(`not a kind of store key: ${JSON.stringify(kind)}`)
  const [first, ...rest] = parts
  if (parts.length === 0) throw new RangeError('a store key needs at least one part')
  const digests = [keyHash([FORMAT, kind, salt, first]), ...rest.map((part) => keyHash(part))]
  return checkedKey(['image-cache', FORMAT, kind, ...digests.map(hexOf)].join('-'))
}

/**
 * A key with a readable value behind it, which a look-up brings back without a download.
 * @throws RangeError when the value has other characters than `[a-z0-9._-]` or the key gets too long
 */
export function withValue(key: StoreKey, value: string): StoreKey {
  return checkedKey(`${key}-${value}`)
}

/** A time as part of a value: of the same length until the year 5188, so that later ones sort behind. @param now milliseconds since 1970 */
export function keyTime(now: number): string {
  return Math.floor(now).toString(36).padStart(9, '0')
}

/** What is wrong with a key or a prefix, as a sentence; undefined when it is good. */
export function checkStoreKey(text: string): string | undefined {
  if (text === '') return 'the key is empty'
  if (text.length > MAX_LENGTH) return `the key has ${text.length} characters, ${MAX_LENGTH} are allowed`
  const [bad] = /[^a-z0-9._-]/.exec(text) ?? []
  return bad === undefined ? undefined : `the key contains ${JSON.stringify(bad)}`
}

/**
 * Whether a key is an answer to a prefix: the same, or longer by whole parts. `a-1` is answered by `a-1-x`, not by
 * `a-12`, which GitHub's cache service also matches.
 */
export function answersPrefix(key: StoreKey, prefix: string): boolean {
  if (!key.startsWith(prefix)) return false
  return key.length === prefix.length || prefix.endsWith('-') || key.charAt(prefix.length) === '-'
}

function checkedKey(key: string): StoreKey {
  const problem = checkStoreKey(key)
  if (problem !== undefined) throw new RangeError(problem)
  return key
}
