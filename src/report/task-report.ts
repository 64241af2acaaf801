import { formatSeconds } from '../base/duration.ts'
import type { CacheStatus, TaskResult } from '../task-cache/task-result.ts'
import { code, escapeMarkdown, table } from './markdown.ts'

/** What is told of a task, on a line or in a table. */
export interface TaskRow {
  readonly name: string
  readonly state: CacheStatus | 'failed' | 'skipped'
  /** Seconds that it took here; undefined when it did not run. */
  readonly seconds: number | undefined
  readonly savedSeconds: number | undefined
  readonly why: string
}

/** Marks of states, the same in the log, on a terminal and in a summary. */
const MARKS: Readonly<Record<TaskRow['state'], string>> = {
  hit: '✓',
  waited: '✓',
  miss: '●',
  'taken-over': '●',
  overwritten: '●',
  disabled: '●',
  unavailable: '!',
  failed: '✗',
  skipped: '-',
}

export function taskRow(name: string, result: TaskResult): TaskRow {
  const reused = result.status === 'hit' || result.status === 'waited'
  return {
    name,
    state: result.exitCode === 0 ? result.status : 'failed',
    seconds: reused ? undefined : result.runSeconds,
    savedSeconds: result.savedSeconds,
    why: result.exitCode === 0 ? result.why : `exit code ${result.exitCode}; ${result.why}`,
  }
}

/** A task that was not begun. @param because name of the task that stands in its way */
export function skippedRow(name: string, because: string): TaskRow {
  return { name, state: 'skipped', seconds: undefined, savedSeconds: undefined, why: `${because} failed` }
}

/** `✓ codegen: hit. made on … by run 7; saves 12.0 s` */
export function taskLine({ name, state, seconds, why }: TaskRow): string {
  const times = seconds === undefined ? [] : [formatSeconds(seconds)]
  return `${MARKS[state]} ${name}: ${[state, ...times].join(', ')}. ${why}`
}

/** `12 tasks: 9 hit, 2 miss, 1 failed; saved 3 min 4 s` */
export function tasksLine(rows: readonly TaskRow[]): string {
  const counts = new Map<TaskRow['state'], number>()
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1)
  const saved = rows.reduce((sum, { savedSeconds = 0 }) => sum + savedSeconds, 0)
  const parts = [...counts].map(([state, count]) => `${count} ${state}`).join(', ')
  const tasks = rows.length === 1 ? '1 task' : `${rows.length} tasks`
  return `${tasks}: ${parts}${saved > 0 ? `; saved ${formatSeconds(saved)}` : ''}`
}

/** A job summary's part about tasks, in Markdown. */
export function tasksSummary(rows: readonly TaskRow[]): string {
  if (rows.length === 0) return ''
  const cells = rows.map(({ name, state, seconds, savedSeconds, why }) => [
    code(name),
    `${MARKS[state]} ${state}`,
    seconds === undefined ? '' : formatSeconds(seconds),
    savedSeconds === undefined ? '' : formatSeconds(savedSeconds),
    escapeMarkdown(why),
  ])
  return ['### Tasks', escapeMarkdown(tasksLine(rows)), table(['Task', 'Cache', 'Took>', 'Saved>', 'Why'], cells)].join(
    '\n\n',
  )
}
