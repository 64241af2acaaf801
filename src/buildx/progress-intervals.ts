import type { Interval } from './progress-timeline.ts'

/** An interval that has ended. */
export interface ClosedInterval {
  readonly start: number
  readonly end: number
}

/** The union of intervals as disjoint ones in order; those still open count up to `now` (same unit). */
export function unionOf(intervals: readonly Interval[], now: number): readonly ClosedInterval[] {
  const closed = intervals.map(({ start, end }) => ({ start, end: Math.max(start, end ?? now) }))
  closed.sort((a, b) => a.start - b.start)
  const union: { start: number; end: number }[] = []
  for (const next of closed) {
    const last = union.at(-1)
    if (last === undefined || next.start > last.end) union.push({ ...next })
    else last.end = Math.max(last.end, next.end)
  }
  return union
}

/** How long both of two unions last at the same time. */
export function overlapOf(a: readonly ClosedInterval[], b: readonly ClosedInterval[]): number {
  let sum = 0
  let i = 0
  let j = 0
  while (true) {
    const left = a[i]
    const right = b[j]
    if (left === undefined || right === undefined) return sum
    sum += Math.max(0, Math.min(left.end, right.end) - Math.max(left.start, right.start))
    if (left.end < right.end) i += 1
    else j += 1
  }
}
