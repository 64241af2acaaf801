import type { BuildStep, BuildTimeline, TimelineSpan } from '../buildx/progress-timeline.ts'
import { type Bar, cut, measure, merge, subtract } from './bars.ts'
import { shortReference, shortStep } from './short-name.ts'

export type RowState = 'ran' | 'cached' | 'pulled' | 'export' | 'push' | 'cache-export' | 'failed'

/** A line of a drawn timeline, or several steps folded into one. */
export interface TimelineRow {
  readonly section: 'build' | 'publish'
  readonly label: string
  /** The whole name, for those who look closer. */
  readonly title: string
  readonly state: RowState
  /** In milliseconds since the build's start, disjoint, in order. */
  readonly bars: readonly Bar[]
  /** How many steps the row stands for. */
  readonly steps: number
  readonly pulledBytes: number
}

/**
 * Lays a timeline out in rows of a readable number: one for each step that took long enough to matter, folded ones for
 * internal, cached and short steps, then creating the image, each push, and each cache export.
 * @param most rows at most; failed steps are never folded.
 */
export function timelineRows(timeline: BuildTimeline, most = 30): readonly TimelineRow[] {
  const publish = publishRows(timeline)
  const steps = timeline.steps.filter(({ kind, intervals }) => intervals.length > 0 && !isPublishing(kind))
  return [...buildRows(steps, timeline.elapsed, Math.max(6, most - publish.length)), ...publish]
}

function buildRows(steps: readonly BuildStep[], elapsed: number, most: number): readonly TimelineRow[] {
  const rows = steps.map((step) => rowOf(step, elapsed))
  const short = Math.max(elapsed / 100, 20)
  const folded = { internal: new Set<TimelineRow>(), cached: new Set<TimelineRow>(), short: new Set<TimelineRow>() }
  for (const [at, row] of rows.entries()) {
    const kind = steps[at]?.kind
    if (row.state === 'failed' || measure(row.bars) >= 2 * short) continue
    if (kind === 'internal' || kind === 'cache-import') folded.internal.add(row)
    else if (row.state === 'cached') folded.cached.add(row)
  }
  const isFolded = (row: TimelineRow) => folded.internal.has(row) || folded.cached.has(row) || folded.short.has(row)
  const open = rows.filter((row) => !isFolded(row) && row.state !== 'failed')
  const byLength = open.sort((a, b) => measure(b.bars) - measure(a.bars))
  // Short steps are folded only where there are too many: a small build is shown whole.
  const room = most - rows.filter(({ state }) => state === 'failed').length - 3
  for (const row of byLength.slice(Math.max(1, room))) folded.short.add(row)
  const kept = rows.filter((row) => !isFolded(row))
  const foldedRows = [
    fold([...folded.internal], 'preparation', 'ran'),
    fold([...folded.cached], 'cached', 'cached'),
    fold([...folded.short], 'short', 'ran'),
  ].filter((row) => row !== undefined)
  return [...kept, ...foldedRows].sort((a, b) => startOf(a) - startOf(b))
}

function rowOf(step: BuildStep, elapsed: number): TimelineRow {
  return {
    section: 'build',
    label: shortStep(step),
    title: step.name,
    state: stateOf(step),
    bars: merge(step.intervals.map((interval) => cut(interval, elapsed))),
    steps: 1,
    pulledBytes: step.pulledBytes,
  }
}

/** A cached step whose layers somebody needed is drawn apart: nothing ran, and yet it took time. */
function stateOf({ error, cached, pulledBytes }: BuildStep): RowState {
  if (error !== undefined) return 'failed'
  if (!cached) return 'ran'
  return pulledBytes > 0 ? 'pulled' : 'cached'
}

function fold(rows: readonly TimelineRow[], what: string, state: RowState): TimelineRow | undefined {
  const [only] = rows
  if (only === undefined || rows.length === 1) return only
  return {
    section: 'build',
    label: `${rows.length} ${what} steps`,
    title: rows.map(({ title }) => title).join('\n'),
    state,
    bars: merge(rows.flatMap(({ bars }) => bars)),
    steps: rows.length,
    pulledBytes: rows.reduce((sum, { pulledBytes }) => sum + pulledBytes, 0),
  }
}

function publishRows(timeline: BuildTimeline): readonly TimelineRow[] {
  const pushes = pushTargets(timeline)
  const pushed = merge(pushes.flatMap(({ bars }) => bars))
  const exports = bySpanName(timeline.exports, timeline.elapsed).map(([name, spans, failed]) => {
    // Since BuildKit 0.29 the push has an interval of its own, before it was part of the export's.
    const bars = subtract(merge(spans), pushed).filter(({ start, end }) => end - start >= 1)
    return publishRow(
      name === 'exporting to image' ? 'create image' : name,
      name,
      failed && pushed.length === 0 ? 'failed' : 'export',
      bars,
    )
  })
  const caches = bySpanName(timeline.cacheExports, timeline.elapsed).map(([name, spans, failed]) =>
    publishRow(cacheLabel(name), name, failed ? 'failed' : 'cache-export', merge(spans)),
  )
  return [...exports, ...pushes, ...caches].filter(({ bars }) => bars.length > 0)
}

/** Pushes by where they went, layers and manifest together. */
function pushTargets(timeline: BuildTimeline): readonly TimelineRow[] {
  const groups = new Map<string, { readonly name: string; readonly bars: Bar[]; failed: boolean }>()
  for (const span of timeline.pushes) {
    const name = `push ${span.target ?? ''}`.trim()
    const group = groups.get(span.step + name) ?? { name, bars: [], failed: false }
    groups.set(span.step + name, group)
    group.bars.push(cut(span, timeline.elapsed))
    group.failed ||= span.error !== undefined
  }
  return [...groups.values()].map(({ name, bars, failed }) =>
    publishRow(shortReference(name), name, failed ? 'failed' : 'push', merge(bars)),
  )
}

/** `exporting cache to registry` as `cache to registry`. */
function cacheLabel(name: string): string {
  const target = name.replace(/^exporting (cache )?/, '')
  return target.startsWith('to ') ? `cache ${target}` : target
}

function publishRow(label: string, title: string, state: RowState, bars: readonly Bar[]): TimelineRow {
  return { section: 'publish', label, title, state, bars, steps: 1, pulledBytes: 0 }
}

function bySpanName(spans: readonly TimelineSpan[], elapsed: number): readonly [string, Bar[], boolean][] {
  const groups = new Map<string, [string, Bar[], boolean]>()
  for (const span of spans) {
    const group = groups.get(span.name) ?? [span.name, [], false]
    groups.set(span.name, group)
    group[1].push(cut(span, elapsed))
    group[2] ||= span.error !== undefined
  }
  return [...groups.values()]
}

function isPublishing(kind: BuildStep['kind']): boolean {
  return kind === 'export' || kind === 'push' || kind === 'cache-export'
}

function startOf(row: TimelineRow): number {
  return row.bars[0]?.start ?? 0
}
