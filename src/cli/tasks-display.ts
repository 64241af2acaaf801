import { formatSeconds } from '../base/duration.ts'
import type { TaskEnd } from '../flow/run-tasks.ts'
import { shorten } from '../report/short-name.ts'
import { skippedRow, taskLine, taskRow } from '../report/task-report.ts'
import type { GraphTask } from '../task-graph/graph-task.ts'

/** Which tasks' own lines are shown: of all, of those that run, of those that failed (once they have), or of none. */
export type LogChoice = 'all' | 'new' | 'failed' | 'none'

export const LOG_CHOICES: readonly LogChoice[] = ['all', 'new', 'failed', 'none']

/** Shows tasks while they run. */
export interface TasksDisplay {
  readonly onStart: (task: GraphTask) => void
  readonly onLine: (task: GraphTask, line: string) => void
  readonly onEnd: (task: GraphTask, end: TaskEnd) => void
  close(): void
}

export interface TasksDisplayOptions {
  readonly total: number
  readonly logs: LogChoice
  /** Writes a line that stays, without line end. */
  readonly writeLine: (line: string) => void
  /** Draws over what it drew before; absent where the output is no terminal. */
  readonly screen?: { (frame: string): void; clear(): void } | undefined
  /** Size of the terminal, asked at each frame. */
  readonly size?: () => { readonly columns: number; readonly rows: number }
  /** Milliseconds since 1970. */
  readonly now: () => number
}

interface Running {
  readonly startedAt: number
  /** Lines of its run, kept for when it fails. */
  readonly lines: string[]
  /** Whether what comes now is the log of an earlier run. */
  isKept: boolean
}

/** What the cache says itself begins so; then comes the kept log, if it is a hit. */
const SAID = 'image-cache: '
const KEPT_LOG = /^image-cache: .*?: (hit|waited), /
/** Lines kept of a task that may fail. */
const KEPT = 200
const FRAME_EVERY = 100

/** Starts a display: on a terminal the running tasks below what is done, in a log a line for each task that ends. */
export function createTasksDisplay(options: TasksDisplayOptions): TasksDisplay {
  const { total, logs, writeLine, screen, now } = options
  const size = options.size ?? (() => ({ columns: 100, rows: 24 }))
  const running = new Map<string, Running>()
  let done = 0
  let drawnAt = 0

  const draw = (force: boolean): void => {
    if (screen === undefined || (!force && now() - drawnAt < FRAME_EVERY)) return
    drawnAt = now()
    if (running.size > 0) screen(tasksFrame(running, { done, total, now: drawnAt, ...size() }))
    else screen.clear()
  }
  const write = (line: string): void => {
    screen?.clear()
    writeLine(line)
    draw(true)
  }
  const timer = screen === undefined ? undefined : setInterval(() => draw(false), FRAME_EVERY)
  timer?.unref()

  return {
    onStart: ({ name }) => {
      running.set(name, { startedAt: now(), lines: [], isKept: false })
      draw(false)
    },
    onLine: ({ name }, line) => {
      const task = running.get(name)
      if (task === undefined) return
      if (line.startsWith(SAID)) {
        // The line at the end says the same.
        task.isKept = KEPT_LOG.test(line)
        return
      }
      task.lines.push(line)
      if (task.lines.length > KEPT) task.lines.shift()
      if (logs === 'all' || (logs === 'new' && !task.isKept)) write(`${name} | ${line}`)
      else draw(false)
    },
    onEnd: ({ name }, end) => {
      const lines = running.get(name)?.lines ?? []
      running.delete(name)
      done += 1
      const failed = end.kind === 'done' && end.result.exitCode !== 0
      if (failed && logs === 'failed') for (const line of lines) write(`${name} | ${line}`)
      if (end.kind === 'done' && logs !== 'none')
        for (const text of end.result.warnings) write(`${name}: warning: ${text}`)
      write(taskLine(end.kind === 'done' ? taskRow(name, end.result) : skippedRow(name, end.because)))
    },
    close: () => {
      clearInterval(timer)
      screen?.clear()
    },
  }
}

/** One picture of what runs, none of its lines wider or more than the terminal. */
export function tasksFrame(
  running: ReadonlyMap<string, Running>,
  { done, total, now, columns, rows }: { done: number; total: number; now: number; columns: number; rows: number },
): string {
  const head = `${done} of ${total} done, ${running.size} running`
  const most = Math.max(1, rows - 3)
  const lines = [...running].slice(0, most).map(([name, { startedAt, lines: said }]) => {
    const time = formatSeconds((now - startedAt) / 1000)
    const last = said.at(-1)?.trim() ?? ''
    return shorten(`▸ ${name} ${time}${last === '' ? '' : `  ${last}`}`, columns - 1)
  })
  return [shorten(head, columns - 1), ...lines].join('\n')
}
