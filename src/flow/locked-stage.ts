import type { BuildView, Refusal } from '../dockerfile/dockerfile.ts'
import type { BasePython } from '../image/base-python.ts'
import type { UnbuiltPackage } from '../python/pylock.ts'
import type { IndexSettings, ResolvedPackage } from '../python/resolution.ts'
import type { RunInstaller } from '../python/resolve.ts'
import type { Store } from '../stores/store.ts'

/** The exact packages of the installs of a stage. */
export interface StageLock {
  readonly kind: 'locked'
  readonly packages: readonly ResolvedPackage[]
  /** What must be built or fetched from elsewhere, with the reason: the steps that want it stay. */
  readonly unbuilt: readonly UnbuiltPackage[]
  readonly settings: IndexSettings
  readonly installerImage: string
  /** Files that decide the versions, absolute. */
  readonly files: readonly string[]
  /** Where the versions came from and how long it took. */
  readonly note: string
  /** What pip puts into the same place before, where a lock's packages come to lie over them; versions as pip has them. */
  readonly below?: readonly ResolvedPackage[]
}

export type StageLockOutcome =
  | StageLock
  | { readonly kind: 'refused'; readonly code: Refusal['code']; readonly sentence: string }

export interface LockTools {
  readonly view: BuildView
  /** Reference with digest of the installer image for a Python version. */
  readonly installerFor: (pythonVersion: string) => Promise<string>
  readonly runInstaller: RunInstaller
  readonly store: Store
}

/** What is known of the Python that the packages are for. */
export type LockTarget = Pick<BasePython, 'version' | 'fullVersion' | 'shipped' | 'glibc'>
