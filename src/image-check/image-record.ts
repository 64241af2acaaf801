import { type Digest, hexOf, isDigest } from '../base/digest.ts'
import type { StoreKey } from '../stores/store.ts'
import { keyTime, storeKey, withValue } from '../stores/store-key.ts'

/**
 * What a record remembers: that the image of a content key was in all its repositories at a time, or that it was not
 * there. The newest one counts, so an `absent` one also takes back what an older one says.
 */
export type ImageRecord =
  | {
      readonly kind: 'present'
      readonly digest: Digest
      readonly writtenAt: number
      /** What the last full build of the image took, to a tenth. */
      readonly fullSeconds?: number | undefined
    }
  /** `writtenAt`: milliseconds since 1970, by the clock of the job that wrote it. */
  | { readonly kind: 'absent'; readonly writtenAt: number }

/** What a record is about; another registry, repository, platform set, content or salt is another record. */
export interface RecordSubject {
  /** `registry/path` of each repository. */
  readonly repositories: readonly string[]
  readonly platforms: readonly string[]
  readonly contentKey: Digest
  readonly salt: string
}

const ABSENT = 'absent'
/** Seconds; longer builds are not told. */
const LONGEST = 999_999
const SUFFIX = /^(?:absent-([0-9a-z]{9})|([0-9a-f]{64})-([0-9a-z]{9})(?:-(\d{1,7}))?)$/

/** What the keys of all records about a subject begin with: one look-up by it finds the newest. */
export function recordPrefix({ repositories, platforms, contentKey, salt }: RecordSubject): StoreKey {
  return storeKey('image', salt, {
    repositories: [...repositories].sort(),
    platforms: [...platforms].sort(),
    contentKey,
  })
}

/** The whole key of a record. Its value stands in the key itself, so that a look-up needs no download. */
export function recordKey(subject: RecordSubject, record: ImageRecord): StoreKey {
  const time = keyTime(record.writtenAt)
  const value = record.kind === 'present' ? hexOf(record.digest) : ABSENT
  const full = record.kind === 'present' ? record.fullSeconds : undefined
  const tenths = full === undefined || full > LONGEST ? '' : `-${Math.round(full * 10)}`
  return withValue(recordPrefix(subject), `${value}-${time}${tenths}`)
}

/** Reads a record out of a key that a store answered; undefined when the key is not one of this subject's. */
export function readRecordKey(subject: RecordSubject, key: StoreKey): ImageRecord | undefined {
  const prefix = `${recordPrefix(subject)}-`
  if (!key.startsWith(prefix)) return undefined
  const [, goneAt, hex, time, tenths] = SUFFIX.exec(key.slice(prefix.length)) ?? []
  if (goneAt !== undefined) return { kind: 'absent', writtenAt: Number.parseInt(goneAt, 36) }
  const digest = `sha256:${hex ?? ''}`
  if (time === undefined || !isDigest(digest)) return undefined
  const full = tenths === undefined ? {} : { fullSeconds: Number(tenths) / 10 }
  return { kind: 'present', digest, writtenAt: Number.parseInt(time, 36), ...full }
}

/**
 * Whether a record may still be believed. A record from the future is as expired as an old one: its writer's clock,
 * or ours, is wrong, and a wrong clock must not make a record eternal.
 * @param ttl seconds; 0 believes none
 */
export function isFresh(record: ImageRecord, ttl: number, now: number): boolean {
  const age = now - record.writtenAt
  return ttl > 0 && age >= -CLOCK_SKEW && age < ttl * 1000
}

/** Two machines of one CI may differ by a few seconds. */
const CLOCK_SKEW = 60_000
