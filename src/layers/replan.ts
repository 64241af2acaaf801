import type { ResolvedPackage } from '../python/resolution.ts'
import { type PreviousPlan, packageFingerprint } from './previous-plan.ts'

/** What becomes of the previous plan's groups. */
export interface Carryover {
  /** By place in the previous plan: the packages of a group that stays, undefined where a place is free. */
  readonly kept: readonly (readonly ResolvedPackage[] | undefined)[]
  /** Packages to be placed: those of groups that change anyway, and new ones. */
  readonly pool: readonly ResolvedPackage[]
  /** Names that are new, gone or other than before. */
  readonly changed: ReadonlySet<string>
}

/** Bounds that groups must keep. */
export interface GroupBounds {
  readonly maxLayers: number
  readonly maxLayerSize: number
  /** Names that stand in layers of their user's making and are not to be placed. */
  readonly isPinned: ReadonlySet<string>
}

/**
 * Finds the groups that the new lock leaves untouched: they stay as they are, so that their layers are found again.
 * Everything else may be placed anew at no cost, because its layers are built anew in any case. A group that got too
 * large for the bounds counts as changed. If packages are left over and no place is free, the group with the fewest
 * bytes is opened for them. A group that mixes pinned packages with others counts as changed, too.
 * @param packages the new lock, sorted by name.
 */
export function carryOver(
  previous: PreviousPlan,
  packages: readonly ResolvedPackage[],
  sizes: ReadonlyMap<string, number>,
  bounds: GroupBounds,
): Carryover {
  const now = new Map(packages.map((pkg) => [pkg.name, pkg]))
  const before = new Map(previous.groups.flatMap((group) => [...group]))
  const changed = new Set<string>()
  for (const [name, pkg] of now) if (before.get(name) !== packageFingerprint(pkg)) changed.add(name)
  for (const name of before.keys()) if (!now.has(name)) changed.add(name)

  const bytes = (group: readonly ResolvedPackage[]): number =>
    group.reduce((sum, p) => sum + (sizes.get(p.name) ?? 0), 0)
  const { isPinned } = bounds
  const own = previous.groups.filter((group) => ![...group.keys()].every((name) => isPinned.has(name)))
  const kept = own.map((group) => {
    const members = [...group.keys()].sort().flatMap((name) => now.get(name) ?? [])
    const isClean = members.length > 0 && ![...group.keys()].some((name) => changed.has(name) || isPinned.has(name))
    const isWithin = members.length === 1 || bytes(members) <= bounds.maxLayerSize
    return isClean && isWithin ? members : undefined
  })

  const isKept = (): Set<string> => new Set(kept.flatMap((group) => group?.map((pkg) => pkg.name) ?? []))
  const places = (): number => bounds.maxLayers - kept.filter((group) => group !== undefined).length
  const loose = packages.filter((pkg) => !isPinned.has(pkg.name))
  while (places() < 0 || (places() === 0 && isKept().size < loose.length)) {
    let smallest: number | undefined
    for (const [at, group] of kept.entries()) {
      if (group === undefined) continue
      const least = smallest === undefined ? undefined : kept[smallest]
      if (least === undefined || bytes(group) < bytes(least)) smallest = at
    }
    if (smallest === undefined) break
    kept[smallest] = undefined
  }
  const names = isKept()
  return { kept, pool: loose.filter((pkg) => !names.has(pkg.name)), changed }
}

/**
 * Puts new groups where the places are free: the steadiest lowest, what is left over on top. Kept groups are never
 * permuted, which would make BuildKit miss them in its cache.
 * @param fresh new groups, steadiest first.
 */
export function fillPlaces<T>(kept: readonly (T | undefined)[], fresh: readonly T[]): readonly T[] {
  const waiting = [...fresh]
  const placed = kept.flatMap((group) => {
    const next = group ?? waiting.shift()
    return next === undefined ? [] : [next]
  })
  return [...placed, ...waiting]
}
