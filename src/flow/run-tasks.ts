import { runTask } from '../task-cache/run-task.ts'
import type { TaskDeps } from '../task-cache/task-deps.ts'
import type { TaskResult } from '../task-cache/task-result.ts'
import { bindNeeds, filesMadeBy, type GraphTask, type MetNeed } from '../task-graph/graph-task.ts'
import { type NodeEnd, runGraph } from '../task-graph/run-graph.ts'

/** How a task ended, as everything that shows tasks reads it. */
export type TaskEnd = NodeEnd<TaskResult>

export interface RunTasksOptions {
  /** Most tasks at the same time. */
  readonly concurrency: number
  /** Whether tasks that don't need a failed one still run. */
  readonly keepGoing: boolean
  readonly onStart?: (task: GraphTask) => void
  readonly onLine?: (task: GraphTask, line: string) => void
  readonly onEnd?: (task: GraphTask, end: TaskEnd) => void
}

/**
 * Runs tasks through the task cache, each when those that it needs are done. A task that came out as before leaves the
 * tasks that need it as they were: their keys hold what it made, not how.
 * @param ordered each task after those that it needs
 * @throws ImageCacheError E_CANCELLED when the run is cancelled
 */
export function runTasks(
  ordered: readonly GraphTask[],
  deps: TaskDeps,
  options: RunTasksOptions,
): Promise<ReadonlyMap<string, TaskEnd>> {
  const byName = new Map(ordered.map((task) => [task.name, task]))
  return runGraph<GraphTask, TaskResult>(ordered, {
    limit: options.concurrency,
    keepGoing: options.keepGoing,
    isGood: ({ exitCode }) => exitCode === 0,
    run: (task, needs) => {
      options.onStart?.(task)
      const met = [...needs].map(([name, result]) => metNeed(byName.get(name), name, result))
      const log = (line: string): void => options.onLine?.(task, line)
      return runTask(bindNeeds(task.spec, met), { ...deps, log, waitLimit: task.waitLimit })
    },
    ...(options.onEnd === undefined ? {} : { onEnd: options.onEnd }),
  })
}

function metNeed(task: GraphTask | undefined, name: string, { outputsDigest: digest }: TaskResult): MetNeed {
  return { name, digest, files: task === undefined ? [] : filesMadeBy(task.spec) }
}
