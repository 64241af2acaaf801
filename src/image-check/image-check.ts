import type { Digest } from '../base/digest.ts'
import type { ImageReference, RepositoryName } from '../registry/reference.ts'
import type { RecordSubject } from './image-record.ts'

/** What is looked for. */
export interface CheckQuestion {
  /** Where it may be. One that has it is enough: from there it can be put into the others. */
  readonly repositories: readonly RepositoryName[]
  /** Its tag or digest in each repository. */
  readonly version: Pick<ImageReference, 'tag' | 'digest'>
  /** All must be there; empty means that any image will do. */
  readonly platforms: readonly string[]
  /** What records about it are filed under; undefined for a name that may stand for another image tomorrow. */
  readonly subject: RecordSubject | undefined
}

/** Who can be asked: a record in the store, the registry, the local Docker. */
export type CheckerName = 'record' | 'registry' | 'docker'

/** What one checker says. `pass` has nothing to say; `unknown` should know and can't tell. Neither is `missing`. */
export type CheckAnswer =
  | {
      readonly kind: 'found'
      readonly digest: Digest
      /** The repositories that have it, in the order of the question. */
      readonly holders: readonly RepositoryName[]
      readonly reason: string
      /** What the last full build of the image took, where a record tells. */
      readonly fullSeconds?: number | undefined
    }
  | {
      readonly kind: 'missing'
      readonly reason: string
      /** Wanted platforms that aren't there; all of them where there is no image at all. */
      readonly missingPlatforms: readonly string[]
    }
  | { readonly kind: 'unknown'; readonly reason: string }
  | {
      readonly kind: 'pass'
      readonly reason: string
      /** What was known once, and is no longer believed. */
      readonly lastKnown?: Digest
    }

/** Somebody who can be asked whether an image exists. */
export interface ImageChecker {
  readonly name: CheckerName
  /** What goes wrong is an answer, too. @throws ImageCacheError E_CANCELLED alone */
  check(question: CheckQuestion): Promise<CheckAnswer>
}

/** An answer with who gave it. */
export interface AskedChecker {
  readonly by: CheckerName
  readonly answer: CheckAnswer
}

/** Whether an image exists, and how it is known. */
export type ImageCheck =
  | (Extract<CheckAnswer, { kind: 'found' }> & {
      readonly via: CheckerName
      readonly asked: readonly AskedChecker[]
    })
  | (Extract<CheckAnswer, { kind: 'missing' }> & { readonly asked: readonly AskedChecker[] })
  | {
      readonly kind: 'unknown'
      readonly reason: string
      readonly lastKnown: Digest | undefined
      readonly asked: readonly AskedChecker[]
    }

/** Asks one after another until somebody knows: the first `found` or `missing` decides. */
export async function checkImage(question: CheckQuestion, checkers: readonly ImageChecker[]): Promise<ImageCheck> {
  const asked: AskedChecker[] = []
  for (const checker of checkers) {
    const answer = await checker.check(question)
    asked.push({ by: checker.name, answer })
    if (answer.kind === 'found') return { ...answer, via: checker.name, asked }
    if (answer.kind === 'missing') return { ...answer, asked }
  }
  const [lastKnown] = asked.flatMap(({ answer }) => (answer.kind === 'pass' ? (answer.lastKnown ?? []) : []))
  const reason = asked.map(({ by, answer }) => `${by}: ${answer.reason}`).join('; ')
  return { kind: 'unknown', reason: reason === '' ? 'nobody was asked' : reason, lastKnown, asked }
}
