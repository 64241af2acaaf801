import type { TaskInputs } from './inputs/task-inputs.ts'
import { type TaskRow, taskRow } from './report/task-report.ts'
import { runTask } from './task-cache/run-task.ts'
import type { TaskDeps } from './task-cache/task-deps.ts'
import type { TaskResult } from './task-cache/task-result.ts'

/** What a task gives to the steps after it. */
export interface TaskStep {
  /** Values of the action's outputs by name: its own, then those that the task declares. */
  readonly outputs: ReadonlyMap<string, string>
  readonly exitCode: number
  readonly row: TaskRow
  readonly warnings: readonly string[]
  readonly result: TaskResult
}

/**
 * The task action's line: is the result of this task there already, and if not, run it and keep what it made.
 * @throws ImageCacheError when the task can't be run at all, or is cancelled
 */
export async function runTaskStep({ spec, waitLimit }: TaskInputs, deps: TaskDeps): Promise<TaskStep> {
  const result = await runTask(spec, { ...deps, waitLimit })
  const { status, key, why, values, exitCode, warnings } = result
  const outputs = new Map([['cache-status', status], ['key', key ?? ''], ['why', why], ...Object.entries(values)])
  return { outputs, exitCode, row: taskRow(spec.name, result), warnings, result }
}
