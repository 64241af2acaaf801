import { AsyncLocalStorage } from 'node:async_hooks'
import type { Digest } from '../base/digest.ts'
import type { CacheStatus } from './task-result.ts'

/** What a function may know of the call that it runs in. */
export interface CallContext {
  /** Of the task. */
  readonly name: string
  /** Why it runs: a call that hits doesn't run it. */
  readonly cacheStatus: CacheStatus
  /** Undefined where the call can't be kept. */
  readonly key: Digest | undefined
}

const contexts = new AsyncLocalStorage<CallContext>()

/** The cached call that this code runs in; undefined outside of one. */
export function callContext(): CallContext | undefined {
  return contexts.getStore()
}

/** Runs a function with a context, which holds for all that it calls and awaits. */
export function inContext<Result>(context: CallContext, run: () => Result): Result {
  return contexts.run(context, run)
}
