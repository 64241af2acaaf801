import type { Digest } from '../base/digest.ts'
import { messageOf } from '../base/errors.ts'
import type { RepositoryName } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { Store } from '../stores/store.ts'
import { isFresh, type RecordSubject, readRecordKey, recordPrefix } from './image-record.ts'

/** Whether the image for a content is there. `unknown` is no `missing`: someone could not answer. */
export type ImageCheck =
  | { readonly kind: 'found'; readonly digest: Digest; readonly via: 'record' | 'registry' }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string }

export interface CheckQuestion {
  readonly repositories: readonly RepositoryName[]
  /** Tag that an image of this content bears in each repository. */
  readonly tag: string
  readonly subject: RecordSubject
  /** Seconds for which a record is believed; 0 asks the registry alone. */
  readonly ttl: number
  readonly now: number
}

/**
 * Asks whether an image exists: a persistent record first (one request), then every repository at once.
 * Never throws; what went wrong on the way stands in the reason.
 */
export async function checkImage(question: CheckQuestion, store: Store, registry: Registry): Promise<ImageCheck> {
  const record = await checkRecord(question, store)
  if (record.kind === 'found') return record
  const answer = await checkRegistry(question, registry)
  return answer.kind === 'found' ? answer : { ...answer, reason: `${answer.reason} (${record.reason})` }
}

async function checkRecord(question: CheckQuestion, store: Store): Promise<ImageCheck> {
  if (question.ttl === 0) return { kind: 'missing', reason: 'records are not asked' }
  const answer = await store.lookUp(recordPrefix(question.subject))
  if (answer.kind === 'unavailable') return { kind: 'unknown', reason: `${store.name} store: ${answer.reason}` }
  if (answer.kind === 'miss') return { kind: 'missing', reason: 'no record' }
  const record = readRecordKey(question.subject, answer.key)
  if (record === undefined) return { kind: 'missing', reason: 'no readable record' }
  if (!isFresh(record, question.ttl, question.now)) return { kind: 'missing', reason: 'the record has expired' }
  return { kind: 'found', digest: record.digest, via: 'record' }
}

async function checkRegistry(question: CheckQuestion, registry: Registry): Promise<ImageCheck> {
  try {
    const found = await Promise.all(
      question.repositories.map((repository) => registry.head({ ...repository, tag: question.tag })),
    )
    const digests = new Set(found.map((descriptor) => descriptor?.digest))
    const [digest] = digests
    if (digests.has(undefined) || digest === undefined) {
      const without = question.repositories.filter((_, index) => found[index] === undefined)
      return {
        kind: 'missing',
        reason: `not in ${without.map(({ registry: host, path }) => `${host}/${path}`).join(', ')}`,
      }
    }
    // Repositories that disagree were written by different builds: build once more, so that they agree.
    if (digests.size > 1) return { kind: 'missing', reason: 'the repositories hold different images for this content' }
    return { kind: 'found', digest, via: 'registry' }
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) }
  }
}
