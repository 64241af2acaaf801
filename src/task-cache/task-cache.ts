import { type CachedFunction, type CachedOptions, cachedFunction } from './cached-function.ts'
import { defineTask, type TaskDefinition } from './define-task.ts'
import { runTask } from './run-task.ts'
import type { TaskDeps } from './task-deps.ts'
import type { TaskResult } from './task-result.ts'

/** Settings that hold for all tasks of a cache, unless a task has its own. */
export type TaskDefaults = Partial<
  Pick<TaskDefinition, 'cache' | 'salt' | 'scope' | 'maxAge' | 'maxOutputSize' | 'serialize' | 'overwrite' | 'platform'>
>

/** Runs commands and functions of a program, each once for what it depends on. */
export class TaskCache {
  readonly #deps: TaskDeps
  readonly #defaults: TaskDefaults

  constructor(deps: TaskDeps, defaults: TaskDefaults = {}) {
    this.#deps = deps
    this.#defaults = defaults
  }

  /**
   * Runs a command, or brings back what it made.
   * @throws ImageCacheError E_INPUT for a task that contradicts itself, E_BUILDER when its program isn't there,
   * E_CANCELLED
   */
  async run(task: TaskDefinition): Promise<TaskResult> {
    return runTask(defineTask({ ...this.#defaults, ...task }), this.#deps)
  }

  /**
   * Wraps a function, so that it isn't run again for what it has done.
   * @throws ImageCacheError E_INPUT when the options contradict each other
   */
  cached<Args extends readonly unknown[], Result>(
    fn: (...args: Args) => Result,
    options: CachedOptions = {},
  ): CachedFunction<Args, Result> {
    return cachedFunction(fn, { ...this.#defaults, ...options }, () => this.#deps)
  }
}
