import { overlapOf, unionOf } from './progress-intervals.ts'
import type { BuildStep, BuildTimeline, Interval, TimelineSpan } from './progress-timeline.ts'

/**
 * The timeline of an image's build with what a second client exported beside or after it: two calls to one daemon, shown
 * as one. Steps that both have are the first one's.
 */
export function mergeTimelines(image: BuildTimeline, cache: BuildTimeline): BuildTimeline {
  const offset = (cache.startedAt ?? image.startedAt ?? 0) - (image.startedAt ?? 0)
  const moved = <Part extends Interval>(part: Part): Part => ({
    ...part,
    start: part.start + offset,
    end: part.end === undefined ? undefined : part.end + offset,
  })
  const known = new Set(image.steps.map(({ digest }) => digest))
  const steps = cache.steps
    .filter(({ digest, kind }) => kind === 'cache-export' && !known.has(digest))
    .map(
      (step): BuildStep => ({
        ...step,
        intervals: step.intervals.map(moved),
        statuses: step.statuses.map(moved),
      }),
    )
  const cacheExports: readonly TimelineSpan[] = [...image.cacheExports, ...cache.cacheExports.map(moved)]
  const blobs = new Set(image.pulls.map(({ blob }) => blob))
  const pulls = [...image.pulls, ...cache.pulls.filter(({ blob }) => !blobs.has(blob)).map(moved)]
  const elapsed = Math.max(image.elapsed, cache.elapsed + offset)
  const overlap = overlapOf(unionOf(image.pushes, elapsed), unionOf(cacheExports, elapsed))
  return {
    ...image,
    elapsed,
    steps: [...image.steps, ...steps],
    cacheExports,
    pulls,
    pulledBytes: pulls.reduce((sum, { bytes }) => sum + bytes, 0),
    overlap: Math.round(overlap * 1000) / 1000,
  }
}
