import { openTaskCache } from './entry/open-task-cache.ts'
import type { CachedFunction, CachedOptions } from './task-cache/cached-function.ts'
import type { TaskCache } from './task-cache/task-cache.ts'

/** How a function of a program is cached; `taskCache` is where results are kept, one for the whole program if not given. */
export type CachedHere = CachedOptions & { readonly taskCache?: TaskCache }

/** Opened by the first function that has no cache of its own. */
let shared: TaskCache | undefined

/**
 * Wraps a function of a program, so that it isn't run again for what it has done: a call with the same arguments and
 * declared inputs, of a function with the same source, brings back its value and its files.
 * @param fn its arguments and its value must be plain JSON to be kept
 * @param options as of a task
 * @throws ImageCacheError E_INPUT when the options contradict each other
 */
export function cached<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  options: CachedHere = {},
): CachedFunction<Args, Result> {
  const { taskCache, ...own } = options
  if (taskCache !== undefined) return taskCache.cached(fn, own)
  shared ??= openTaskCache()
  return shared.cached(fn, own)
}
