import type { Digest } from '../base/digest.ts'
import type { Deps } from '../deps.ts'
import type { CheckQuestion } from '../image-check/image-check.ts'
import { type ImageRecord, recordKey } from '../image-check/image-record.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { Content, UnknownContent } from './content.ts'
import { contentQuestion } from './find-image.ts'

type RecordDeps = Pick<Deps, 'clock' | 'saveLater'>

/** Notes that the image of this content is in all its repositories, for the next job's first question. */
export function rememberImage(
  inputs: BuildInputs,
  content: Content | UnknownContent,
  digest: Digest | undefined,
  deps: RecordDeps,
  fullSeconds?: number,
): void {
  if (content.kind === 'unknown' || digest === undefined || !isRecorded(inputs)) return
  const record: ImageRecord = { kind: 'present', digest, writtenAt: deps.clock.now(), fullSeconds }
  saveRecord(contentQuestion(inputs, content), record, deps)
}

/** Notes what a question was answered with. */
export function saveRecord({ subject }: CheckQuestion, record: ImageRecord, deps: RecordDeps): void {
  if (subject === undefined) return
  const body = record.kind === 'present' ? record.digest : record.kind
  deps.saveLater({ key: recordKey(subject, record), body })
}

/**
 * Takes back what records say of an image that is gone, at once, so that jobs meanwhile don't believe it. Entries can't be
 * deleted; a newer one hides them.
 * @returns a sentence part when the store didn't take it
 */
export async function dropRecord(
  inputs: BuildInputs,
  content: Content,
  deps: Pick<Deps, 'clock' | 'store'>,
): Promise<string | undefined> {
  const { subject } = contentQuestion(inputs, content)
  if (subject === undefined || !isRecorded(inputs)) return undefined
  const key = recordKey(subject, { kind: 'absent', writtenAt: deps.clock.now() })
  const saved = await deps.store.save(key, Buffer.from('absent'))
  return saved.kind === 'unavailable' ? `${deps.store.name} store: ${saved.reason}` : undefined
}

/** An image that goes to other places than registries, too, can't be found again by its record alone. */
function isRecorded({ push, load, outputs, check, store }: BuildInputs): boolean {
  return push && !load && outputs.length === 0 && check !== 'off' && store !== 'off'
}
