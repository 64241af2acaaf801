import { digestOf, hexOf } from '../base/digest.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'

/** Characters that leave room in a tag for `cache-` and the owner. */
const LONGEST = 70

/** Tells the caches of one repository apart by target and platforms: a legal part of a tag (distribution spec). */
export function cacheScope(inputs: Pick<BuildInputs, 'target' | 'platforms'>): string {
  const parts = [inputs.target ?? 'image', ...[...inputs.platforms].sort()].join('-')
  const scope = parts.replace(/[^A-Za-z0-9_.-]/g, '-')
  return scope.length <= LONGEST ? scope : `${scope.slice(0, LONGEST - 13)}-${hexOf(digestOf(parts)).slice(0, 12)}`
}
