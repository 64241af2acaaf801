import type { BuildView, InstallStep } from '../dockerfile/dockerfile.ts'
import type { BasePython } from '../image/base-python.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { type LibcRange, libcRange } from '../python/libc-range.ts'
import type { RunInstaller } from '../python/resolve.ts'
import type { Store } from '../stores/store.ts'
import type { Source } from './source.ts'

/** Install steps that belong together, and all that decides which packages they bring. */
export interface StepsToLock {
  readonly steps: readonly InstallStep[]
  readonly python: LockTarget
  readonly inputs: BuildInputs
  readonly source: Source
  readonly tools: LockTools
}

/** The same, with the image whose tools answer. */
export interface LockQuestion extends StepsToLock {
  /** Reference with digest. */
  readonly installerImage: string
}

export interface LockTools {
  readonly view: BuildView
  /** Reference with digest of the installer image for a Python version. */
  readonly installerFor: (pythonVersion: string) => Promise<string>
  readonly runInstaller: RunInstaller
  readonly store: Store
}

/** What is known of the Python that the packages are for. */
export type LockTarget = Pick<BasePython, 'version' | 'fullVersion' | 'shipped' | 'libc'>

/** What every way to an answer wants to know, in the words of the room that gives it. */
export interface LockSubject {
  readonly image: string
  readonly pythonVersion: string
  readonly platform: string
  readonly libc: LibcRange
  readonly salt: string
  readonly relock: boolean
}

export function lockSubject({ installerImage, python, inputs, tools }: LockQuestion): LockSubject {
  return {
    image: installerImage,
    pythonVersion: python.version,
    platform: platformOf(tools),
    libc: libcRange(python.libc),
    salt: inputs.salt,
    relock: inputs.relock || inputs.noCache,
  }
}

/** The platform that packages are for; a build that names none is one for the usual runner. */
export function platformOf({ view }: Pick<LockTools, 'view'>): string {
  return view.platform ?? 'linux/amd64'
}
