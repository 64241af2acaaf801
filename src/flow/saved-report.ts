import { createProgress } from '../buildx/progress.ts'
import type { BuildTimeline, TimelineSpan } from '../buildx/progress-timeline.ts'
import { auditPulls } from '../buildx/pull-audit.ts'
import type { BuildOutcome, BuildReport, ReportCache } from '../report/report.ts'

/**
 * A report of any build whose progress was saved with `--progress rawjson`, by us or not.
 * @param chunks the stream in pieces of any size
 * @param name what the build is called where the stream names no image
 */
export async function readSavedBuild(
  chunks: AsyncIterable<string | Uint8Array>,
  name: string,
): Promise<BuildReport | undefined> {
  const progress = createProgress()
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const text = rest + (typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true }))
    const end = text.lastIndexOf('\n')
    rest = text.slice(end + 1)
    if (end >= 0) for (const line of text.slice(0, end).split('\n')) progress.push(line)
  }
  if (rest !== '') progress.push(rest)
  const timeline = progress.snapshot()
  return timeline.steps.length === 0 ? undefined : timelineReport(timeline, name)
}

/** All that a timeline alone can tell. */
export function timelineReport(timeline: BuildTimeline, name: string): BuildReport {
  const targets = [...new Set(timeline.pushes.flatMap(({ target }) => target ?? []))]
  const [first] = targets
  const { outcome, reason } = ending(timeline)
  return {
    image: first === undefined ? name : first.replace(/@sha256:[0-9a-f]+$/, ''),
    tags: targets.map((target) => target.replace(/@sha256:[0-9a-f]+$/, '')),
    outcome,
    reason,
    seconds: timeline.elapsed / 1000,
    timeline,
    pulls: auditPulls(timeline),
    layers: [],
    dockerfileSteps: [],
    caches: [
      ...timeline.cacheImports.map((span) => cacheRow(span, 'miss')),
      ...timeline.cacheExports.map((span) => cacheRow(span, 'failed')),
    ],
    checks: [],
    warnings: [],
    inputs: [],
    stages: [],
  }
}

function ending({ failed, steps, text }: BuildTimeline): { outcome: BuildOutcome; reason: string } {
  if (text.some((line) => /^error: .*context canceled/i.test(line))) {
    return { outcome: 'cancelled', reason: 'the build was cancelled' }
  }
  const error = text.find((line) => /^error: /i.test(line))
  if (error !== undefined) return { outcome: 'failed', reason: failed?.message ?? error }
  const isOpen = steps.some(({ intervals }) => intervals.some(({ end }) => end === undefined))
  if (isOpen) return { outcome: 'cancelled', reason: 'the stream ends in the middle of the build' }
  const work = steps.filter(({ kind, intervals }) => /^(run|copy|instruction)$/.test(kind) && intervals.length > 0)
  const cached = work.filter((step) => step.cached).length
  return { outcome: 'built', reason: `${cached} of ${work.length} steps came from a cache` }
}

function cacheRow({ name, error, start, end }: TimelineSpan, missing: 'miss' | 'failed'): ReportCache {
  if (error === undefined) {
    return { what: name, outcome: 'ok', detail: end === undefined ? 'not finished' : `${Math.round(end - start)} ms` }
  }
  return { what: name, outcome: /not found/i.test(error) ? missing : 'failed', detail: error }
}
