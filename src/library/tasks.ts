/**
 * Commands and functions that run once for what they depend on.
 *
 * @module tasks
 */
export type { Clock } from '../base/clock.ts'
export { type CachedHere, cached } from '../cached.ts'
export { openTaskCache, type TaskCacheOptions } from '../entry/open-task-cache.ts'
export type { Exec, ExecOptions, ExecResult } from '../exec/exec.ts'
export type { CachedCall, CachedFunction, CachedOptions } from '../task-cache/cached-function.ts'
export { type CallContext, callContext } from '../task-cache/call-context.ts'
export type { TaskDefinition } from '../task-cache/define-task.ts'
export type { CacheMode, TaskInput } from '../task-cache/task.ts'
export { TaskCache, type TaskDefaults } from '../task-cache/task-cache.ts'
export type { TaskDeps, TaskOrigin, TaskSave } from '../task-cache/task-deps.ts'
export type { PolicyChoice, PolicyParams, TaskPolicy } from '../task-cache/task-policy.ts'
export type { CacheStatus, Kept, TaskResult } from '../task-cache/task-result.ts'
