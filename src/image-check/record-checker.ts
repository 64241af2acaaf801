import type { Store } from '../stores/store.ts'
import type { CheckAnswer, CheckQuestion, ImageChecker } from './image-check.ts'
import { isFresh, readRecordKey, recordPrefix } from './image-record.ts'

/** How long records are believed, in seconds; 0 believes none. */
export interface RecordBelief {
  readonly ttl: number
  /** For records that say the image is not there. */
  readonly negativeTtl: number
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Asks the store for the newest record, in one request that downloads nothing. */
export function recordChecker(store: Store, belief: RecordBelief): ImageChecker {
  return { name: 'record', check: (question) => ask(store, belief, question) }
}

async function ask(store: Store, belief: RecordBelief, question: CheckQuestion): Promise<CheckAnswer> {
  const { subject, repositories, platforms } = question
  const { ttl, negativeTtl, now } = belief
  if (subject === undefined) return { kind: 'pass', reason: 'this name may move, so no record is asked' }
  if (ttl === 0) return { kind: 'pass', reason: 'records are not asked' }
  const answer = await store.lookUp(recordPrefix(subject))
  if (answer.kind === 'unavailable') return { kind: 'unknown', reason: `${store.name} store: ${answer.reason}` }
  if (answer.kind === 'miss') return { kind: 'pass', reason: 'no record' }
  const record = readRecordKey(subject, answer.key)
  if (record === undefined) return { kind: 'pass', reason: 'no readable record' }
  const age = ageOf(record.writtenAt, now)
  if (record.kind === 'absent') {
    if (!isFresh(record, negativeTtl, now)) return { kind: 'pass', reason: `a record of ${age} says that it was gone` }
    return { kind: 'missing', reason: `it was not there ${age}, says a record`, missingPlatforms: platforms }
  }
  const { digest, fullSeconds } = record
  if (!isFresh(record, ttl, now)) return { kind: 'pass', reason: `the record of ${age} has expired`, lastKnown: digest }
  const full = fullSeconds === undefined ? {} : { fullSeconds }
  return { kind: 'found', digest, holders: repositories, reason: `a record of ${age}`, ...full }
}

/** `90 s ago`, in the largest unit that leaves a whole number of at least 2. */
function ageOf(writtenAt: number, now: number): string {
  const seconds = Math.round((now - writtenAt) / 1000)
  if (seconds < 0) return `${-seconds} s in the future`
  if (seconds < 120) return `${seconds} s ago`
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} days ago`
}
