import type { Digest } from '../base/digest.ts'
import type { AskedChecker, ImageCheck } from '../image-check/image-check.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { cannotTell } from './find-image.ts'
import { checkWarnings } from './report-facts.ts'

/** Whether one image exists, as people and steps are told. */
export interface CheckedImage {
  /** As it was asked for. */
  readonly image: string
  /** The platforms that it must have; empty when none are asked for. */
  readonly platforms: readonly string[]
  /** `assumed`: nobody can tell, and `check-unknown: assume-exists` says what to think then. */
  readonly outcome: 'found' | 'missing' | 'unknown' | 'assumed'
  readonly digest: Digest | undefined
  /** Wanted platforms that aren't there. */
  readonly missingPlatforms: readonly string[]
  readonly contentKey: Digest | undefined
  readonly reason: string
  readonly asked: readonly AskedChecker[]
}

/** @throws ImageCacheError E_CHECK when nobody can tell and the user wants to stop then */
export function checkedImage(
  image: string,
  contentKey: Digest | undefined,
  check: ImageCheck,
  { checkUnknown: policy, platforms }: Pick<BuildInputs, 'checkUnknown' | 'platforms'>,
): CheckedImage {
  const { asked, reason } = check
  const about = { image, platforms, contentKey, asked }
  switch (check.kind) {
    case 'found':
      return { ...about, outcome: 'found', digest: check.digest, missingPlatforms: [], reason }
    case 'missing':
      return { ...about, outcome: 'missing', digest: undefined, missingPlatforms: check.missingPlatforms, reason }
    case 'unknown': {
      if (policy === 'fail') throw cannotTell(image, reason)
      const told = { ...about, digest: check.lastKnown, missingPlatforms: [] }
      if (policy === 'build') return { ...told, outcome: 'unknown', reason }
      return { ...told, outcome: 'assumed', reason: `assumed to exist, ${reason}` }
    }
  }
}

/** Whether all exist: one that is missing decides, then one that nobody can tell. */
export function allExist(images: readonly CheckedImage[]): 'true' | 'false' | 'unknown' {
  if (images.some(({ outcome }) => outcome === 'missing')) return 'false'
  return images.some(({ outcome }) => outcome === 'unknown') ? 'unknown' : 'true'
}

/** Values of the check action's outputs by name. */
export function checkOutputs(images: readonly CheckedImage[]): ReadonlyMap<string, string> {
  const [first] = images
  const only = images.length === 1 ? first : undefined
  return new Map([
    ['exists', allExist(images)],
    ['digest', only?.digest ?? ''],
    ['missing-platforms', [...new Set(images.flatMap(({ missingPlatforms }) => missingPlatforms))].join(',')],
    ['content-key', only?.contentKey ?? ''],
    ['reason', only?.reason ?? images.map(({ image, reason }) => `${image}: ${reason}`).join('; ')],
    ['results', JSON.stringify(checkJson(images))],
  ])
}

/** What could not be told, each sentence once. */
export function checkNotes(images: readonly CheckedImage[]): readonly string[] {
  const notes = images.flatMap(({ asked, outcome, image, reason }) => {
    if (asked.length > 0) return checkWarnings(asked).map(({ message }) => message)
    return outcome === 'unknown' ? [`${image}: ${reason}`] : []
  })
  return [...new Set(notes)]
}

/** The answers as other programs read them. */
export function checkJson(images: readonly CheckedImage[]): readonly Readonly<Record<string, unknown>>[] {
  return images.map(({ image, platforms, outcome, digest, missingPlatforms, contentKey, reason }) => ({
    image,
    platforms,
    outcome,
    digest: digest ?? null,
    missingPlatforms,
    contentKey: contentKey ?? null,
    reason,
  }))
}
