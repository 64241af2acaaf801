import type { BlobPull, BuildStep, BuildTimeline, TimelineSpan } from './progress-timeline.ts'

/** What made the builder download layers that it could have left in the registry. */
export type PullCause =
  | 'run'
  | 'copy'
  | 'copy-from'
  | 'instruction'
  | 'sbom'
  | 'file-output'
  | 'rewrite-timestamp'
  | 'recompress'
  | 'push'
  | 'cache-export'
  | 'unknown'

/** Layers that one step or export needed on the builder, and what can be done about it. */
export interface PullFinding {
  readonly cause: PullCause
  /** The step or export that needed them, as BuildKit names it; empty when it can't be told. */
  readonly by: string
  /** Steps and base images whose layers were pulled. */
  readonly of: readonly string[]
  /** Whether a cached step was among them: its layers would have stayed in the registry. */
  readonly cached: boolean
  readonly blobs: number
  readonly bytes: number
  /** Milliseconds in which any of them was on its way. */
  readonly time: number
  /** What makes the pull needless, one sentence; undefined where it had to be. */
  readonly hint: string | undefined
}

/** Blobs whose pull begins a moment after what needs them are told apart by this many milliseconds of slack. */
const SLACK = 5

/**
 * Tells for each download of layers who caused it, the largest first. BuildKit shows a download under the step whose
 * result is fetched, not under the one that needs it: that one starts afterwards, or is the export that runs meanwhile
 * (solver/jobs.go, cache/refs.go; recorded streams in the tests).
 */
export function auditPulls(timeline: BuildTimeline): readonly PullFinding[] {
  const byStep = new Map(timeline.steps.map((step) => [step.digest, step]))
  const groups = new Map<string, { readonly need: Need; readonly owners: Set<BuildStep>; readonly pulls: BlobPull[] }>()
  for (const pull of timeline.pulls) {
    const owner = byStep.get(pull.step)
    if (owner === undefined || pull.bytes === 0) continue
    const need = needOf(owner, pull, timeline)
    const key = `${need.cause} ${need.by}`
    const group = groups.get(key) ?? { need, owners: new Set<BuildStep>(), pulls: [] }
    groups.set(key, group)
    group.owners.add(owner)
    group.pulls.push(pull)
  }
  return [...groups.values()]
    .map(({ need, owners, pulls }) => finding(need, [...owners], pulls, timeline.elapsed))
    .sort((a, b) => b.bytes - a.bytes)
}

interface Need {
  readonly cause: PullCause
  readonly by: string
}

function finding(need: Need, owners: readonly BuildStep[], pulls: readonly BlobPull[], elapsed: number): PullFinding {
  const cached = owners.some((owner) => owner.cached)
  return {
    ...need,
    of: owners.map(({ name }) => name),
    cached,
    blobs: pulls.length,
    bytes: pulls.reduce((sum, { bytes }) => sum + bytes, 0),
    time: Math.max(...pulls.map(({ end }) => end ?? elapsed)) - Math.min(...pulls.map(({ start }) => start)),
    hint: hintOf(need.cause, cached),
  }
}

function needOf(owner: BuildStep, pull: BlobPull, timeline: BuildTimeline): Need {
  const [next] = consumersOf(owner, timeline.steps)
    .filter(({ step }) => startOf(step) >= pull.start - SLACK)
    .sort((a, b) => startOf(a.step) - startOf(b.step))
  if (next !== undefined && Number.isFinite(startOf(next.step))) return needOfStep(next)
  const output = timeline.exports.find((span) => lasts(span, pull.start))
  const sent = timeline.pushes.find((span) => lasts(span, pull.start))
  if (sent !== undefined) return { cause: 'push', by: output?.name ?? sent.name }
  if (output !== undefined) return needOfExport(output, timeline.steps)
  const cache = timeline.cacheExports.find((span) => lasts(span, pull.start))
  if (cache !== undefined) return { cause: 'cache-export', by: cache.name }
  // A build that failed or was cancelled meanwhile never started what it fetched for.
  return next === undefined ? { cause: 'unknown', by: '' } : needOfStep(next)
}

/** A step that works on another one's files. */
interface Consumer {
  readonly step: BuildStep
  /** Whether it works on top of them, rather than copy out of them. */
  readonly onTop: boolean
}

/** Steps that were not cached and need the files of a step, also through cached steps and a `COPY --link` between. */
function consumersOf(owner: BuildStep, steps: readonly BuildStep[]): readonly Consumer[] {
  const seen = new Set([owner.digest])
  const found: Consumer[] = []
  for (const digest of seen) {
    for (const step of steps) {
      if (!step.inputs.includes(digest)) continue
      if (step.kind === 'link' || step.cached) seen.add(step.digest)
      else found.push({ step, onTop: step.inputs[0] === digest && !isLinked(step) })
    }
  }
  return found
}

function needOfStep({ step, onTop }: Consumer): Need {
  const by = step.name
  if (/generating sbom/i.test(by)) return { cause: 'sbom', by }
  if (step.kind === 'copy') return { cause: onTop ? 'copy' : 'copy-from', by }
  if (step.kind === 'run') return { cause: 'run', by }
  return step.kind === 'instruction' ? { cause: 'instruction', by } : { cause: 'unknown', by }
}

function needOfExport(span: TimelineSpan, steps: readonly BuildStep[]): Need {
  const by = span.name
  if (by !== 'exporting to image') return { cause: 'file-output', by }
  const statuses = steps.find(({ digest }) => digest === span.step)?.statuses ?? []
  if (statuses.some(({ id }) => id.startsWith('rewriting layers with source-date-epoch'))) {
    return { cause: 'rewrite-timestamp', by }
  }
  if (statuses.some(({ id }) => id.startsWith('unpacking to'))) return { cause: 'file-output', by }
  return { cause: 'recompress', by }
}

function hintOf(cause: PullCause, cached: boolean): string | undefined {
  switch (cause) {
    case 'copy':
      return 'Write `COPY --link`: it needs nothing of the layers below.'
    case 'run':
      return cached
        ? 'Move it above what changes, or run it in a stage of its own and `COPY --link` its result.'
        : undefined
    case 'instruction':
      return 'Let a `COPY --link` make the folder: then the layers below stay in the registry.'
    case 'copy-from':
      return cached
        ? 'Copy from a stage that holds little else: all layers of the copied stage are fetched.'
        : undefined
    case 'sbom':
      return 'Leave `sbom` off here: the scanner reads the whole image.'
    case 'file-output':
      return 'Push to a registry instead: an image that is written to a file or into Docker is fetched as a whole.'
    case 'rewrite-timestamp':
      return 'Leave `rewrite-timestamp` off: it rewrites layers that are cached.'
    case 'recompress':
      return 'Leave `force-compression` off: it compresses layers anew that are cached.'
    case 'push':
      return 'Keep cache and image in one registry: it takes layers over without moving them.'
    case 'cache-export':
      return 'Export the cache to the registry that the layers came from.'
    case 'unknown':
      return undefined
  }
}

function isLinked({ text }: BuildStep): boolean {
  return /^(COPY|ADD)\s(--\S+\s+)*--link\b/.test(text)
}

/** When a step began to work, rather than to be looked for in a cache. */
function startOf({ intervals }: BuildStep): number {
  return intervals.find(({ cached }) => !cached)?.start ?? Number.POSITIVE_INFINITY
}

function lasts({ start, end }: TimelineSpan, time: number): boolean {
  return start <= time + SLACK && time <= (end ?? Number.POSITIVE_INFINITY)
}
