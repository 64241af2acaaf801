import type { Digest } from '../base/digest.ts'
import type { TaskOrigin } from './task-deps.ts'

/**
 * How a task came to its result. `hit`: it was kept; `miss`: it ran; `waited`: another process made it meanwhile;
 * `taken-over`: it ran in place of a process that went away; `overwritten`: it ran as asked, whatever was kept;
 * `disabled`: its cache is switched off; `unavailable`: it ran, and the cache could not help.
 */
export type CacheStatus = 'hit' | 'miss' | 'disabled' | 'overwritten' | 'waited' | 'taken-over' | 'unavailable'

/** What became of a result that was made: kept, handed over for later, or why not. */
export type Kept =
  | { readonly kind: 'kept'; readonly bytes: number }
  | { readonly kind: 'later'; readonly bytes: number }
  | { readonly kind: 'not-kept'; readonly reason: string }

/** A task that is done. */
export interface TaskResult {
  readonly status: CacheStatus
  /** Undefined when the cache is switched off or the inputs could not be read. */
  readonly key: Digest | undefined
  /** One sentence: which part of the key differs, or who made the result. */
  readonly why: string
  /** The task's own; 0 for a hit. */
  readonly exitCode: number
  /** Declared values. */
  readonly values: Readonly<Record<string, string>>
  /** What the task printed, secrets masked, the last 1 MiB. */
  readonly log: readonly string[]
  /** One digest of all output files and values: what a task that builds upon this one depends on. */
  readonly outputsDigest: Digest | undefined
  /** Seconds that the task's own run took, now or when the result was made. */
  readonly runSeconds: number
  /** Seconds that a hit saved. */
  readonly savedSeconds?: number
  /** Who made a kept result, and when (milliseconds since 1970). */
  readonly madeBy?: TaskOrigin & { readonly madeAt: number }
  readonly kept?: Kept
  /** Sentences for the user: patterns without files, undeclared imports, why a result was not kept. */
  readonly warnings: readonly string[]
}
