import { stripVTControlCharacters, styleText } from 'node:util'
import { formatBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { formatSeconds } from '../base/duration.ts'
import type { BuildStep, BuildTimeline } from '../buildx/progress-timeline.ts'
import { shorten, shortReference, shortStep } from '../report/short-name.ts'

/** Shows a build while it runs. Secrets are taken out of the stream before it is read. */
export interface LiveProgress {
  /** Shows what is known now; call it a few times a second. */
  update(timeline: BuildTimeline): void
  /** Shows the end and leaves it on the screen. */
  finish(timeline: BuildTimeline): void
}

export interface LiveProgressOptions {
  /** Writes a line that stays; without line end. */
  readonly writeLine: (line: string) => void
  /** Draws over what it drew before; absent where the output is no terminal. The library log-update has this shape. */
  readonly screen?: { (frame: string): void; clear(): void } | undefined
  readonly clock: Clock
  readonly color?: boolean
  /** Writes lines that are folded under a title; where there is none, what a step printed is shown only when it fails. */
  readonly group?: (title: string, lines: readonly string[]) => void
  /** Size of the terminal, asked at each frame. */
  readonly size?: () => { readonly columns: number; readonly rows: number }
}

export interface FrameOptions {
  readonly columns: number
  readonly rows: number
  readonly color: boolean
  /** Milliseconds since the build's start, for what still runs. */
  readonly now: number
}

const HEARTBEAT = 30_000

/** Starts a display: frames on a terminal, else a line for each step that ends and a sign of life for long ones. */
export function createLiveProgress(options: LiveProgressOptions): LiveProgress {
  const { screen, writeLine, clock, color = false } = options
  const size = options.size ?? (() => ({ columns: 100, rows: 24 }))
  const buildTime = createBuildTime(clock)
  const printer = createLinePrinter(writeLine, color, options.group)
  return {
    update(timeline) {
      const now = buildTime(timeline)
      if (screen === undefined) printer(timeline, now)
      else screen(renderFrame(timeline, { ...size(), color, now }))
    },
    finish(timeline) {
      const now = Math.max(timeline.elapsed, 0)
      screen?.clear()
      printer(timeline, now)
      const cached = timeline.steps.filter((step) => step.cached).length
      writeLine(`${formatSeconds(now / 1000)}: ${timeline.executedRuns.length} steps ran, ${cached} cached`)
    },
  }
}

/** Whether to use colours: as no-color.org says, and not on a terminal that has none. */
export function wantsColor(env: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  const off = env.NO_COLOR
  return (off === undefined || off === '') && isTerminal && env.TERM !== 'dumb'
}

/** One picture of a running build in plain lines, none wider or more than the terminal. */
export function renderFrame(timeline: BuildTimeline, { columns, rows, color, now }: FrameOptions): string {
  const started = timeline.steps.filter(({ intervals }) => intervals.length > 0)
  const running = started.filter((step) => isRunning(step) && step.kind !== 'export' && step.kind !== 'cache-export')
  const done = started.filter((step) => !isRunning(step) && isShown(step))
  const cached = started.filter((step) => step.cached && !isRunning(step)).length
  const counts = [
    formatSeconds(now / 1000),
    `${running.length} running`,
    `${done.length} done`,
    `${cached} cached`,
    ...(timeline.pulledBytes > 0 ? [`${formatBytes(timeline.pulledBytes)} pulled`] : []),
  ]
  const lanes = lanesOf(timeline).map((lane) => laneLine(lane, columns, color, now))
  const active = running.flatMap((step) => runningLines(step, columns, color, now))
  const room = Math.max(3, rows - 2)
  const bottom = [...active.slice(0, Math.max(1, room - lanes.length - 1)), ...lanes]
  const top = Math.max(0, room - bottom.length - 1)
  const past = (top === 0 ? [] : done.slice(-top)).map((step) => doneLine(step, columns, color))
  return [paint('bold', shorten(counts.join(', '), columns - 1), color), ...past, ...bottom].join('\n')
}

/**
 * The builder's clock may differ from ours: the time since the build's start is taken from the stream's own times plus
 * what passed here since, counted by the least delay seen.
 */
function createBuildTime(clock: Clock): (timeline: BuildTimeline) => number {
  let offset = Number.POSITIVE_INFINITY
  return (timeline) => {
    const here = clock.now()
    if (timeline.startedAt === undefined) return 0
    offset = Math.min(offset, here - timeline.elapsed)
    return Math.max(timeline.elapsed, here - offset)
  }
}

/** Prints what became of steps since the last call, each once. */
function createLinePrinter(
  writeLine: (line: string) => void,
  color: boolean,
  group: LiveProgressOptions['group'] = undefined,
) {
  const printed = new Set<string>()
  const beats = new Map<string, number>()
  const once = (key: string, line: () => string) => {
    if (printed.has(key)) return
    printed.add(key)
    writeLine(line())
  }
  const showEnd = (step: BuildStep) => {
    // Only the step that failed stays open.
    if (group === undefined || step.error !== undefined || step.logs.length === 0) {
      once(step.digest, () => endLine(step, color))
    } else if (!printed.has(step.digest)) {
      printed.add(step.digest)
      group(endLine(step, color), step.logs.map(plain))
    }
  }
  return (timeline: BuildTimeline, now: number): void => {
    for (const step of timeline.steps) {
      if (step.intervals.length === 0 || step.kind === 'export' || step.kind === 'cache-export') continue
      if (isRunning(step)) {
        const seconds = lengthOf(step, now)
        const beat = Math.floor(seconds / HEARTBEAT)
        if (beat > (beats.get(step.digest) ?? 0)) {
          beats.set(step.digest, beat)
          writeLine(`  ${nameOf(step)}: still running after ${formatSeconds(seconds / 1000)}`)
        }
      } else if (isShown(step)) showEnd(step)
    }
    for (const lane of lanesOf(timeline)) {
      if (lane.end !== undefined) once(`${lane.name} ${lane.start}`, () => endOfLane(lane, now, color))
    }
  }
}

function endLine(step: BuildStep, color: boolean): string {
  const seconds = formatSeconds(lengthOf(step, 0) / 1000)
  if (step.error === undefined) {
    const pulled = step.pulledBytes > 0 ? `, ${formatBytes(step.pulledBytes)} pulled` : ''
    return `${paint('green', '✓', color)} ${nameOf(step)} ${paint('dim', `${seconds}${pulled}`, color)}`
  }
  const logs = step.logs.slice(-10).map((line) => `\n    ${plain(line)}`)
  return `${paint('red', '✗', color)} ${nameOf(step)} ${seconds}: ${plain(step.error)}${logs.join('')}`
}

function runningLines(step: BuildStep, columns: number, color: boolean, now: number): readonly string[] {
  const line = row(paint('cyan', '▸', color), nameOf(step), lengthOf(step, now), columns)
  const detail = detailOf(step)
  return detail === '' ? [line] : [line, paint('dim', `    ${shorten(detail, columns - 6)}`, color)]
}

/** What a running step is at: its download, else the last line of its command. */
function detailOf(step: BuildStep): string {
  const open = step.statuses.filter(({ end, total }) => end === undefined && total > 0)
  if (open.length === 0) return plain(step.logs.at(-1) ?? '').trim()
  const sum = (field: 'current' | 'total') => open.reduce((bytes, status) => bytes + status[field], 0)
  return `${formatBytes(sum('current'))} of ${formatBytes(sum('total'))}`
}

function doneLine(step: BuildStep, columns: number, color: boolean): string {
  const mark = step.error === undefined ? paint('green', '✓', color) : paint('red', '✗', color)
  return row(mark, nameOf(step), lengthOf(step, 0), columns)
}

/** What a line of the publishing part shows. */
interface Lane {
  readonly name: string
  readonly start: number
  readonly end: number | undefined
  readonly error: string | undefined
}

/** The image's creation, each push (layers and manifest together) and each cache export. */
function lanesOf(timeline: BuildTimeline): readonly Lane[] {
  const creating = timeline.pushes.length === 0 ? timeline.exports : []
  const pushes = new Map<string, Lane>()
  for (const span of timeline.pushes) {
    const name = `push ${span.target ?? ''}`.trim()
    const start = pushes.get(span.step + name)?.start ?? span.start
    // Between layers and manifest there is a moment in which nothing is open: only the manifest ends a push.
    const ended = span.name === 'pushing layers' && span.error === undefined ? undefined : span.end
    pushes.set(span.step + name, { name: plain(shortReference(name)), start, end: ended, error: span.error })
  }
  return [...creating, ...pushes.values(), ...timeline.cacheExports]
}

function laneLine(lane: Lane, columns: number, color: boolean, now: number): string {
  const done = lane.end === undefined ? paint('cyan', '▸', color) : paint('green', '✓', color)
  const mark = lane.error === undefined ? done : paint('yellow', '!', color)
  return row(mark, plain(lane.name), (lane.end ?? now) - lane.start, columns)
}

function endOfLane({ name, start, end, error }: Lane, now: number, color: boolean): string {
  const seconds = formatSeconds(((end ?? now) - start) / 1000)
  if (error === undefined) return `${paint('green', '✓', color)} ${plain(name)} ${paint('dim', seconds, color)}`
  return `${paint('yellow', '!', color)} ${plain(name)} ${seconds}: ${plain(error)}`
}

/** A mark, a name that is cut to fit, and a time at the right. */
function row(mark: string, name: string, milliseconds: number, columns: number): string {
  const time = formatSeconds(milliseconds / 1000)
  const room = Math.max(8, columns - time.length - 5)
  return `${mark} ${shorten(name, room).padEnd(room)}  ${time}`
}

function nameOf(step: BuildStep): string {
  return plain(shortStep(step))
}

function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ')
}

function isRunning(step: BuildStep): boolean {
  return step.intervals.some(({ end }) => end === undefined)
}

/** Cached steps are only counted, and so is what the builder does for itself, unless it failed. */
function isShown(step: BuildStep): boolean {
  if (step.error !== undefined) return true
  // A base image is looked up even when nothing of it is needed: worth a line once it was pulled.
  if (step.kind === 'from') return step.pulledBytes > 0
  return (step.kind === 'run' || step.kind === 'copy' || step.kind === 'instruction') && !step.cached
}

function lengthOf(step: BuildStep, now: number): number {
  return step.intervals.reduce((sum, { start, end }) => sum + Math.max(0, (end ?? now) - start), 0)
}

function paint(style: 'green' | 'red' | 'cyan' | 'yellow' | 'dim' | 'bold', text: string, color: boolean): string {
  return color ? styleText(style, text, { validateStream: false }) : text
}
