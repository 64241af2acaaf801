import { formatBytes } from '../base/bytes.ts'
import { formatSeconds } from '../base/duration.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import { type Bar, intersect, measure, merge } from './bars.ts'
import { shorten } from './short-name.ts'
import { LETTER, n, svgPicture, svgRect, svgText } from './svg.ts'
import { type RowState, type TimelineRow, timelineRows } from './timeline-rows.ts'

const WIDTH = 980
const LABELS = 310
const RIGHT = 96
const ROW = 22
const TOP = 66
const CHART = WIDTH - LABELS - RIGHT

const LEGEND: readonly (readonly [RowState, string])[] = [
  ['ran', 'ran'],
  ['cached', 'cached'],
  ['pulled', 'cached, then pulled'],
  ['export', 'create image'],
  ['push', 'push'],
  ['cache-export', 'cache export'],
  ['failed', 'failed'],
]

export interface TimelineSvgOptions {
  readonly title?: string
  /** Rows at most, 40 unless told. */
  readonly mostRows?: number
  /** Milliseconds at the axis' right end, so that several pictures can be compared; the build's own length unless told. */
  readonly span?: number
}

/**
 * A picture of a build: one row for each step, the push's lanes beside those of the cache export, and a band where both
 * ran. Complete in itself, for dark and light pages.
 */
export function timelineSvg(timeline: BuildTimeline, options: TimelineSvgOptions = {}): string {
  const rows = timelineRows(timeline, options.mostRows ?? 40)
  const span = Math.max(1, options.span ?? timeline.elapsed, timeline.elapsed)
  const scale = (time: number) => LABELS + (time / span) * CHART
  const firstPublish = rows.findIndex(({ section }) => section === 'publish')
  const yOf = (at: number) => TOP + at * ROW + (firstPublish >= 0 && at >= firstPublish ? 10 : 0)
  const bottom = yOf(rows.length) + 4
  // Between a push's layers and its manifest lies less than can be drawn.
  const both = merge(bothBars(rows), span / 500)
  const height = bottom + (both.length > 0 ? 26 : 8)
  const title = options.title ?? 'Build timeline'
  const parts = [
    svgText(12, 20, 'ic-text ic-strong', shorten(title, 70)),
    svgText(WIDTH - 12, 20, 'ic-faint', numbers(timeline), 'end'),
    ...legend(rows),
    ...axis(span, scale, bottom),
    ...bandParts(both, timeline.overlap, scale, firstPublish < 0 ? bottom : yOf(firstPublish) - 4, bottom),
    ...rows.flatMap((row, at) => rowParts(row, yOf(at), scale)),
  ]
  return svgPicture(WIDTH, height, title, parts)
}

function numbers(timeline: BuildTimeline): string {
  const ran = timeline.executedRuns.length
  const pulled = timeline.pulledBytes === 0 ? '' : `, ${formatBytes(timeline.pulledBytes)} pulled`
  return `${formatSeconds(timeline.elapsed / 1000)}, ${ran} ${ran === 1 ? 'step' : 'steps'} ran${pulled}`
}

function legend(rows: readonly TimelineRow[]): readonly string[] {
  const parts: string[] = []
  let x = LABELS
  for (const [state, name] of LEGEND) {
    if (!rows.some((row) => row.state === state)) continue
    parts.push(svgRect({ x, y: 30, width: 11, height: 11 }, `ic-${state}`))
    parts.push(svgText(x + 16, 40, 'ic-faint ic-small', name))
    x += 32 + name.length * LETTER
  }
  return parts
}

function axis(span: number, scale: (time: number) => number, bottom: number): readonly string[] {
  const step = tickStep(span)
  const parts: string[] = []
  for (let time = 0; time <= span; time += step) {
    const x = scale(time)
    parts.push(`<line x1="${n(x)}" x2="${n(x)}" y1="${TOP - 4}" y2="${n(bottom)}" class="ic-line"/>`)
    parts.push(svgText(x, TOP - 7, 'ic-faint ic-small', tickText(time, step), 'middle'))
  }
  return parts
}

/** A round number of milliseconds that gives four to ten ticks. */
function tickStep(span: number): number {
  const rough = span / 8
  const power = 10 ** Math.floor(Math.log10(rough))
  if (rough < 15_000) return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  return ([15, 30, 60, 120, 300, 600, 900, 1800, 3600].find((seconds) => seconds * 1000 >= rough) ?? 7200) * 1000
}

function tickText(time: number, step: number): string {
  if (step < 1000) return `${(time / 1000).toFixed(step < 10 ? 3 : step < 100 ? 2 : 1)} s`
  if (step < 15_000) return `${Math.round(time / 1000)} s`
  return `${Math.floor(time / 60_000)}:${String(Math.round(time / 1000) % 60).padStart(2, '0')}`
}

function rowParts(row: TimelineRow, y: number, scale: (time: number) => number): readonly string[] {
  const title = `${row.title}\n${formatSeconds(measure(row.bars) / 1000)}`
  const bars = row.bars.map(({ start, end }) => {
    const width = Math.max(2, scale(end) - scale(start))
    return svgRect({ x: scale(start), y: y + 3, width, height: ROW - 7 }, `ic-${row.state}`, title)
  })
  const last = row.bars.at(-1)
  const after = last === undefined ? LABELS : Math.max(scale(last.end), scale(last.start) + 2)
  const pulled = row.pulledBytes > 0 ? `, ${formatBytes(row.pulledBytes)}` : ''
  const text = `${formatSeconds(measure(row.bars) / 1000)}${pulled}`
  const first = row.bars[0]
  // Beside the bar where there is room, else before it.
  const before = after + 5 + text.length * LETTER > WIDTH && first !== undefined
  return [
    svgText(
      12,
      y + 15,
      row.state === 'cached' ? 'ic-faint' : 'ic-text',
      shorten(row.label, Math.floor((LABELS - 30) / LETTER)),
    ),
    ...bars,
    before
      ? svgText(scale(first.start) - 5, y + 15, 'ic-faint ic-small', text, 'end')
      : svgText(after + 5, y + 15, 'ic-faint ic-small', text),
  ]
}

function bothBars(rows: readonly TimelineRow[]): readonly Bar[] {
  const publish = rows.filter(({ section }) => section === 'publish')
  const barsOf = (some: readonly TimelineRow[]) => merge(some.flatMap(({ bars }) => bars))
  return intersect(
    barsOf(publish.filter(({ title }) => title.startsWith('push'))),
    barsOf(publish.filter(isCacheExport)),
  )
}

function isCacheExport(row: TimelineRow): boolean {
  return /^exporting (cache|content cache|to GitHub Actions Cache)/.test(row.title)
}

function bandParts(
  both: readonly Bar[],
  overlap: number,
  scale: (time: number) => number,
  top: number,
  bottom: number,
): readonly string[] {
  const [first] = both
  if (first === undefined) return []
  const bands = both.map(({ start, end }) =>
    svgRect(
      { x: scale(start), y: top, width: Math.max(1, scale(end) - scale(start)), height: bottom - top },
      'ic-both',
    ),
  )
  const text = `push and cache export side by side: ${formatSeconds(overlap / 1000)}`
  const x = Math.min(scale(first.start), WIDTH - text.length * LETTER - 8)
  return [...bands, svgText(x, bottom + 15, 'ic-faint ic-small', text)]
}
