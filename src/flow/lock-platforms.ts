import type { BuildView } from '../dockerfile/dockerfile.ts'
import { mergeLocks, type PlatformLock } from '../python/merge-locks.ts'
import type { BaseImages } from './base-images.ts'
import { platformOf, type StepsToLock } from './lock-question.ts'
import { lockSteps } from './lock-steps.ts'
import { lockRefusal, type StageLockOutcome } from './locked-stage.ts'

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
 * @param others platforms besides the one of the tools' view
 */
export async function lockPlatforms(asked: StepsToLock, others: readonly PlatformView[]): Promise<StageLockOutcome> {
  const first = await lockSteps(asked)
  if (first.kind === 'refused' || others.length === 0) return first
  if (first.below !== undefined)
    return lockRefusal('a lock over packages of pip is planned for one platform', 'platform')
  const locks: PlatformLock[] = [{ platform: platformOf(asked.tools), packages: first.packages }]
  for (const { platform, view } of others) {
    const lock = await lockSteps({ ...asked, tools: { ...asked.tools, view } })
    if (lock.kind === 'refused') return { ...lock, sentence: `${lock.sentence} (${platform})` }
    const [unbuilt] = [...first.unbuilt, ...lock.unbuilt]
    if (unbuilt !== undefined) return lockRefusal(`${unbuilt.reason} (${platform})`, 'not-only-wheels')
    locks.push({ platform, packages: lock.packages })
  }
  const packages = mergeLocks(locks)
  if (typeof packages === 'string') return lockRefusal(packages, 'platform')
  return { ...first, packages, note: `${first.note}, for ${locks.length} platforms` }
}
