/** Several measurements of one thing. */
export interface Spread {
  readonly min: number
  readonly median: number
  readonly max: number
  /** How many there were. */
  readonly runs: number
}

/** @throws RangeError for no values at all */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const [min] = sorted
  const max = sorted.at(-1)
  if (min === undefined || max === undefined) throw new RangeError('there is no measurement')
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1)
  return { min, median: middle.reduce((sum, value) => sum + value, 0) / middle.length, max, runs: sorted.length }
}
