import { digestOf, hexOf } from '../base/digest.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'

/** Characters that leave room in a tag for `cache-` and the owner. */
const LONGEST = 70

/** Tells the caches of one repository apart by target and platforms: a legal part of a tag (distribution spec). */
export function cacheScope(inputs: Pick<BuildInputs, 'target' | 'platforms'>): string {
  const parts = [inputs.target ?? 'image', ...[...inputs.platforms].sort()].join('-')
  const scope = parts.replace(/[^A-Za-z0-9_.-]/g, '-')
  return scope.length <= LONGEST ? scope : shortened(scope, LONGEST, parts)
}

/** The beginning of a text that is too long for a tag, told apart from others by a digest. @param whole what it stands for */
export function shortened(text: string, longest: number, whole: string): string {
  return `${text.slice(0, longest - 13)}-${hexOf(digestOf(whole)).slice(0, 12)}`
}
