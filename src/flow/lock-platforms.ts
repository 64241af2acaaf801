import type { BuildView, InstallStep } from '../dockerfile/dockerfile.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { mergeLocks, type PlatformLock } from '../python/merge-locks.ts'
import type { BaseImages } from './base-images.ts'
import type { LockTarget, LockTools, StageLockOutcome } from './locked-stage.ts'
import type { Source } from './source.ts'
import { lockSteps } from './stage-lock.ts'

/** One more platform of a build, with what its stages stand on. */
export interface PlatformView {
  /** `linux/arm64` */
  readonly platform: string
  readonly view: BuildView
  readonly images: BaseImages
}

/**
 * Finds the exact packages of install steps for every platform of the build, as one list: the platforms' images then have
 * the same layers by name, each with its own files.
 * @param others platforms besides the one of `tools.view`
 */
export async function lockPlatforms(
  steps: readonly InstallStep[],
  python: LockTarget,
  inputs: BuildInputs,
  source: Source,
  tools: LockTools,
  others: readonly PlatformView[],
): Promise<StageLockOutcome> {
  const first = await lockSteps(steps, python, inputs, source, tools)
  if (first.kind === 'refused' || others.length === 0) return first
  if (first.below !== undefined)
    return { kind: 'refused', code: 'platform', sentence: 'a lock over packages of pip is planned for one platform' }
  const locks: PlatformLock[] = [{ platform: tools.view.platform ?? 'linux/amd64', packages: first.packages }]
  for (const { platform, view } of others) {
    const lock = await lockSteps(steps, python, inputs, source, { ...tools, view })
    if (lock.kind === 'refused') return { ...lock, sentence: `${lock.sentence} (${platform})` }
    const [unbuilt] = [...first.unbuilt, ...lock.unbuilt]
    if (unbuilt !== undefined)
      return { kind: 'refused', code: 'not-only-wheels', sentence: `${unbuilt.reason} (${platform})` }
    locks.push({ platform, packages: lock.packages })
  }
  const packages = mergeLocks(locks)
  if (typeof packages === 'string') return { kind: 'refused', code: 'platform', sentence: packages }
  return { ...first, packages, note: `${first.note}, for ${locks.length} platforms` }
}
