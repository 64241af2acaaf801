import { formatSeconds } from '../base/duration.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import { measure, merge } from './bars.ts'
import { shorten } from './short-name.ts'
import { type RowState, type TimelineRow, timelineRows } from './timeline-rows.ts'

const TAGS: Readonly<Record<RowState, string>> = {
  ran: 'active, ',
  cached: 'done, ',
  pulled: 'active, ',
  export: 'done, ',
  push: 'active, ',
  'cache-export': 'done, ',
  failed: 'crit, ',
}

// Words that Mermaid's gantt grammar reads at the beginning of a line, whatever follows.
const KEYWORD =
  /^(gantt|section|title|click|call|href|dateFormat|axisFormat|tickInterval|todayMarker|includes|excludes|inclusiveEndDates|topAxis|weekday|weekend|accTitle|accDescr|displayMode|\d{4}-)/i

/**
 * A timeline as a Mermaid gantt chart, which GitHub draws in Markdown. Each bar is a task with an id of its own.
 * Times are given on a fixed day without zone, so that the axis begins at 00:00 wherever the reader lives.
 * @returns the chart's lines, or none when nothing has started.
 */
export function mermaidGantt(timeline: BuildTimeline, mostRows = 30): readonly string[] {
  const rows = timelineRows(timeline, mostRows)
  if (rows.length === 0) return []
  return [
    '%%{init: {"gantt": {"leftPadding": 70, "barHeight": 18, "fontSize": 12}}}%%',
    'gantt',
    '    dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    `    axisFormat ${timeline.elapsed < 3_600_000 ? '%M:%S' : '%H:%M:%S'}`,
    ...tickLines(timeline.elapsed),
    ...sectionLines('build', rows, timeline.elapsed),
    ...sectionLines('publish', rows, timeline.elapsed),
  ]
}

function sectionLines(
  section: TimelineRow['section'],
  rows: readonly TimelineRow[],
  elapsed: number,
): readonly string[] {
  const lines = rows.flatMap((row, at) => (row.section === section ? taskLines(row, at, elapsed) : []))
  return lines.length === 0 ? [] : [`    section ${section}`, ...lines]
}

/**
 * The tasks of a row. Each task takes a line, so pieces that lie close are joined, and a row of many pieces becomes one
 * task as long as all of them. What is too short to be seen is drawn longer: its name tells the true time.
 */
function taskLines(row: TimelineRow, at: number, elapsed: number): readonly string[] {
  const total = measure(row.bars)
  const joined = merge(row.bars, elapsed / 200)
  const start = joined[0]?.start ?? 0
  const bars = joined.length <= 3 ? joined : [{ start, end: start + total }]
  return bars.map((bar, part) => {
    const length = Math.max(1, Math.round(Math.max(bar.end - bar.start, elapsed / 300)))
    const name = ganttText(shorten(row.label, 46)) + (part === 0 ? ` ${formatSeconds(total / 1000)}` : ' …')
    return `    ${name} :${TAGS[row.state]}r${at}p${part}, ${clockTime(bar.start)}, ${length}ms`
  })
}

/**
 * Text that can't be taken for the chart's own syntax: `:` ends a task's name, `;` and `#` the line, `%%` starts a
 * comment, and a keyword or a date at the beginning would be read as such.
 */
export function ganttText(text: string): string {
  const plain = text
    .replace(/:/g, '∶')
    .replace(/[;#%{}<>"`\\$^~[\]|]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  if (plain === '') return 'step'
  return KEYWORD.test(plain) ? `· ${plain}` : plain
}

function clockTime(milliseconds: number): string {
  return new Date(Date.UTC(2000, 0, 1) + Math.round(milliseconds)).toISOString().replace('T', ' ').replace('Z', '')
}

/** About eight ticks; Mermaid draws far too many for a long build and one for each millisecond of a short one. */
function tickLines(elapsed: number): readonly string[] {
  const seconds = elapsed / 1000 / 8
  if (seconds < 1) return ['    tickInterval 1second']
  const step = [1, 2, 5, 10, 15, 30].find((size) => size >= seconds)
  if (step !== undefined) return [`    tickInterval ${step}second`]
  const minutes = [1, 2, 5, 10, 15, 30, 60].find((size) => size * 60 >= seconds) ?? 60
  return [`    tickInterval ${minutes}minute`]
}
