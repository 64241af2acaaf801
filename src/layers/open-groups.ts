import type { ResolvedPackage } from '../python/resolution.ts'

type Group = readonly ResolvedPackage[]

/** Packages that are to be placed, split into groups. */
export interface Split {
  readonly groups: readonly Group[]
  /** Bytes expected to be rebuilt at each further change of the lock. */
  readonly cost: number
}

/** What the split of packages is judged by. */
export interface SplitTerms {
  /** The best split of packages, sorted by name, into at most `count` groups. */
  split(pool: Group, count: number): Split
  /** Compressed bytes. */
  bytes(group: Group): number
  /** Expected bytes that a group rebuilds at each change of the lock. */
  costOf(group: Group): number
}

/** Places and packages of a plan under way: `kept` by place, `free` places for the packages of `pool`. */
export interface OpenPlaces {
  readonly kept: readonly (Group | undefined)[]
  readonly pool: Group
  readonly free: number
}

/**
 * Lock changes over which a group that is built anew without need must pay for itself. In the replay of real histories
 * 5 to 15 do equally well; far more trusts the estimates too long.
 */
const HORIZON = 10
/** Groups that are looked at, smallest first: each is one more split of the pool. */
const MOST_TRIES = 8

/**
 * Opens groups that the new lock leaves untouched where planning them anew together with the changed ones saves more
 * bytes over the next changes than it costs now. Without this a plan keeps the shape of its first day: every group that
 * happens to be clean holds a place, however badly it is cut.
 * @returns what is kept in the end, and the split of all else
 */
export function openGroups(
  places: OpenPlaces,
  terms: SplitTerms,
): { readonly kept: OpenPlaces['kept']; readonly split: Split } {
  const kept = [...places.kept]
  let { pool, free } = places
  let now = terms.split(pool, free)
  if (pool.length === 0) return { kept, split: now }
  const clean = kept.flatMap((group, at) => (group === undefined ? [] : [{ group, at, bytes: terms.bytes(group) }]))
  clean.sort((a, b) => a.bytes - b.bytes || a.at - b.at)
  for (const { group, at, bytes } of clean.slice(0, MOST_TRIES)) {
    const together = [...pool, ...group].sort((a, b) => (a.name < b.name ? -1 : 1))
    const then = terms.split(together, free + 1)
    const saved = now.cost + terms.costOf(group) - then.cost
    if (saved * HORIZON <= (then.groups.some((other) => isSame(other, group)) ? 0 : bytes)) continue
    kept[at] = undefined
    pool = together
    free += 1
    now = then
  }
  // A group that comes out as it was stays where it was: elsewhere the layers above it would have other neighbours.
  const back = places.kept.map((group, at) =>
    group !== undefined && kept[at] === undefined && now.groups.some((other) => isSame(other, group))
      ? group
      : kept[at],
  )
  const isBack = (group: Group): boolean => back.some((one) => one !== undefined && isSame(one, group))
  return { kept: back, split: { ...now, groups: now.groups.filter((group) => !isBack(group)) } }
}

function isSame(one: Group, other: Group): boolean {
  const names = new Set(one.map((pkg) => pkg.name))
  return one.length === other.length && other.every((pkg) => names.has(pkg.name))
}
