/** How many lock changes are remembered: older ones say little of the next. */
export const REMEMBERED_CHANGES = 32

/** Which packages changed in the last lock changes, as far back as remembered. */
export interface ChangeHistory {
  /** Lock changes remembered, 0 to 32. */
  readonly changes: number
  /** By package: bit 0 stands for the latest change, bit 1 for the one before, up to bit 31. */
  readonly touched: ReadonlyMap<string, number>
}

export const NO_HISTORY: ChangeHistory = { changes: 0, touched: new Map() }

/** The history after one more lock change that touched `changed`; only `present` packages stay remembered. */
export function addChange(
  history: ChangeHistory,
  changed: ReadonlySet<string>,
  present: readonly string[],
): ChangeHistory {
  const touched = new Map<string, number>()
  for (const name of present) {
    const bits = (((history.touched.get(name) ?? 0) << 1) | (changed.has(name) ? 1 : 0)) >>> 0
    if (bits !== 0) touched.set(name, bits)
  }
  return { changes: Math.min(REMEMBERED_CHANGES, history.changes + 1), touched }
}

/** Number of set bits of a 32-bit number. */
export function countBits(bits: number): number {
  let rest = bits - ((bits >>> 1) & 0x55555555)
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333)
  return (((rest + (rest >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
}
