import type { Refusal } from '../dockerfile/dockerfile.ts'
import type { UnbuiltPackage } from '../python/pylock.ts'
import type { IndexSettings, ResolvedPackage } from '../python/resolution.ts'
import type { SharedFiles } from '../python/shared-files.ts'

/** The exact packages of the installs of a stage. */
export interface StageLock {
  readonly kind: 'locked'
  readonly packages: readonly ResolvedPackage[]
  /** What must be built or fetched from elsewhere, with the reason: the steps that want it stay. */
  readonly unbuilt: readonly UnbuiltPackage[]
  readonly settings: IndexSettings
  /** Files that two of the packages share, where the order of installs is the user's own: pip's. */
  readonly shared?: SharedFiles | undefined
  readonly installerImage: string
  /** Files that decide the versions, absolute. */
  readonly files: readonly string[]
  /** Where the versions came from and how long it took. */
  readonly note: string
  /** What pip puts into the same place before, where a lock's packages come to lie over them; versions as pip has them. */
  readonly below?: readonly ResolvedPackage[]
}

export interface LockRefusal {
  readonly kind: 'refused'
  readonly code: Refusal['code']
  readonly sentence: string
}

export type StageLockOutcome = StageLock | LockRefusal

/** @param code the usual one when absent: no lock came of it */
export function lockRefusal(sentence: string, code: Refusal['code'] = 'resolution-failed'): LockRefusal {
  return { kind: 'refused', code, sentence }
}
