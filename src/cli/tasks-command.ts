import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, resolve } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { ImageCacheError } from '../base/errors.ts'
import { runTasks, type TaskEnd } from '../flow/run-tasks.ts'
import { parseTaskFile } from '../inputs/task-file.ts'
import { skippedRow, type TaskRow, taskRow, tasksLine } from '../report/task-report.ts'
import { orderTasks } from '../task-graph/task-graph.ts'
import type { CommandWorld } from './command-world.ts'
import { runTaskCommand } from './task-command.ts'
import { createTasksDisplay, type LogChoice, type TasksDisplay } from './tasks-display.ts'

/** Options of `image-cache tasks run`, as they were given. */
export interface TasksOptions {
  readonly file: string
  readonly concurrency: number | undefined
  readonly keepGoing: boolean
  readonly overwrite: boolean
  readonly logs: LogChoice
  readonly json: boolean
}

/**
 * `image-cache tasks run`: a file of tasks as a graph, each through the cache.
 * @param wanted names of tasks; empty means all
 * @returns 0 when all are done, 1 when one failed
 */
export function tasksCommand(wanted: readonly string[], options: TasksOptions, world: CommandWorld): Promise<number> {
  return runTaskCommand(new Map(), world, async ({ surroundings, open }) => {
    const path = resolve(options.file)
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      const hint = 'Give its path with --file. Files of tasks are described in docs/tasks.md.'
      throw new ImageCacheError('E_INPUT', `file: ${JSON.stringify(options.file)} can't be read`, { hint, cause })
    })
    const refresh = options.overwrite ? { tasks: 'all' as const, why: '--overwrite' } : surroundings.refresh
    const file = await parseTaskFile(text, { ...surroundings, refresh, place: basename(path) })
    const order = orderTasks(file.tasks, wanted)
    if (order.kind === 'wrong') throw new ImageCacheError('E_INPUT', order.mistakes.join('; '))

    const display = await openDisplay(order.nodes.length, options.logs, world)
    const ends = await runTasks(order.nodes, open(file.store), {
      concurrency: options.concurrency ?? file.concurrency ?? availableParallelism(),
      keepGoing: options.keepGoing,
      ...display,
    }).finally(() => display.close())
    const rows = rowsOf(ends)
    world.stderr.write(`${tasksLine(rows)}\n`)
    if (options.json) world.stdout.write(`${tasksJson(ends)}\n`)
    return rows.some(({ state }) => state === 'failed' || state === 'skipped') ? 1 : 0
  })
}

async function openDisplay(total: number, logs: LogChoice, { stderr }: CommandWorld): Promise<TasksDisplay> {
  const isTerminal = stderr.isTTY === true
  return createTasksDisplay({
    total,
    logs,
    writeLine: (line) => void stderr.write(`${line}\n`),
    screen: isTerminal ? (await import('log-update')).logUpdateStderr : undefined,
    size: () => ({ columns: stderr.columns ?? 100, rows: stderr.rows ?? 24 }),
    now: () => systemClock.now(),
  })
}

function rowsOf(ends: ReadonlyMap<string, TaskEnd>): readonly TaskRow[] {
  return [...ends].map(([name, end]) =>
    end.kind === 'done' ? taskRow(name, end.result) : skippedRow(name, end.because),
  )
}

function tasksJson(ends: ReadonlyMap<string, TaskEnd>): string {
  const tasks = [...ends].map(([name, end]) =>
    end.kind === 'done' ? { name, ...end.result } : { name, status: 'skipped', because: end.because },
  )
  return JSON.stringify({ tasks }, null, 2)
}
