/** A piece of a drawn timeline, in milliseconds since the build's start. */
export interface Bar {
  readonly start: number
  readonly end: number
}

/** An interval as it is drawn: not before the build's start, and up to `now` while it is open. */
export function cut(interval: { readonly start: number; readonly end: number | undefined }, now: number): Bar {
  const start = Math.max(0, interval.start)
  return { start, end: Math.max(start, interval.end ?? now) }
}

/** The union of bars as disjoint ones in order; `gap` is the longest gap that is closed. */
export function merge(bars: readonly Bar[], gap = 0): readonly Bar[] {
  const union: { start: number; end: number }[] = []
  for (const bar of [...bars].sort((a, b) => a.start - b.start)) {
    const last = union.at(-1)
    if (last === undefined || bar.start > last.end + gap) union.push({ ...bar })
    else last.end = Math.max(last.end, bar.end)
  }
  return union
}

/** What is left of disjoint bars outside of others. */
export function subtract(bars: readonly Bar[], others: readonly Bar[]): readonly Bar[] {
  return others.reduce(
    (left, other) =>
      left.flatMap((bar) =>
        other.end <= bar.start || other.start >= bar.end
          ? [bar]
          : [
              { start: bar.start, end: other.start },
              { start: other.end, end: bar.end },
            ].filter(({ start, end }) => end > start),
      ),
    bars,
  )
}

/** Where both of two unions last. */
export function intersect(a: readonly Bar[], b: readonly Bar[]): readonly Bar[] {
  return a.flatMap((left) =>
    b
      .map((right) => ({ start: Math.max(left.start, right.start), end: Math.min(left.end, right.end) }))
      .filter(({ start, end }) => end > start),
  )
}

/** How long disjoint bars last together. */
export function measure(bars: readonly Bar[]): number {
  return bars.reduce((sum, { start, end }) => sum + end - start, 0)
}
