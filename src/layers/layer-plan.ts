import type { ResolvedPackage } from '../python/resolution.ts'
import { addChange, type ChangeHistory, NO_HISTORY } from './change-history.ts'
import { changeIntensity, lockTime, USUAL_AGE, wheelAge } from './change-rate.ts'
import { clusterOf, intensityOf, type PlanItem, touchChance } from './group-cost.ts'
import { groupReason } from './group-reason.ts'
import { estimatedSize } from './heavy-packages.ts'
import { openGroups, type Split } from './open-groups.ts'
import { partition } from './partition.ts'
import { type LayerPin, pinnedGroups } from './pinned-groups.ts'
import type { PreviousPlan } from './previous-plan.ts'
import { familyOf } from './release-families.ts'
import { carryOver, fillPlaces } from './replan.ts'

/** Packages that share one image layer. */
export interface LayerGroup {
  /** Sorted by name. */
  readonly packages: readonly ResolvedPackage[]
  /** Compressed bytes, estimated. */
  readonly size: number
  /** Probability that the next change of the lock touches this layer, 0 to 1. */
  readonly changeRate: number
  /** Why these packages stand together, one sentence. */
  readonly reason: string
}

/** How packages are spread over layers, bottom layer first. Every package is in exactly one group. */
export interface LayerPlan {
  readonly groups: readonly LayerGroup[]
  /** What is known of past changes: kept with the plan for the next one (`encodePlan`). */
  readonly history?: ChangeHistory
}

/** The bounds of a plan and what went before. */
export interface PlanOptions {
  /** Most layers for dependencies, at least 1. */
  readonly maxLayers: number
  /** Compressed bytes that a group may have unless it is one package; gives way when there are too few layers. */
  readonly maxLayerSize: number
  readonly previous?: PreviousPlan | undefined
  /** Past changes from elsewhere, such as a repository's commits; counts only without a previous plan. */
  readonly history?: ChangeHistory | undefined
  /** Names to take as heavy where no size is known. */
  readonly heavyPackages?: readonly string[] | undefined
  /** Layers that the user fixed: they lie at the bottom, in this order, and count as layers. */
  readonly pins?: readonly LayerPin[] | undefined
}

/**
 * Spreads the packages of a lock over layers so that few bytes are rebuilt, pushed and pulled when the lock changes.
 * The same packages, options and previous plan give the same plan, on any day and in any order of the packages.
 *
 * With a previous plan the groups that the new lock changes anyway are planned anew, by the age of wheels and by past
 * changes, with clean ones where that pays (`openGroups`); all others stay, in their order. Without one ages are left
 * out: they shift with every lock, and a plan that follows them moves more bytes than it saves.
 * @param packages one of each name, in any order, such as those of `readPylock`
 * @param options bounds of the plan, and what went before
 * @returns groups that hold each package once, bottom layer first
 * @throws RangeError for bounds that no plan can keep, pins that leave no layer for the rest, or a package that is there
 * twice.
 */
export function planLayers(packages: readonly ResolvedPackage[], options: PlanOptions): LayerPlan {
  if (!Number.isInteger(options.maxLayers) || options.maxLayers < 1) throw new RangeError('maxLayers must be 1 or more')
  if (!(options.maxLayerSize > 0)) throw new RangeError('maxLayerSize must be above 0')
  const sorted = [...packages].sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const [at, pkg] of sorted.entries()) {
    if (sorted[at + 1]?.name === pkg.name) throw new RangeError(`the lock holds ${pkg.name} twice`)
  }
  const sizes = new Map(sorted.map((pkg) => [pkg.name, estimatedSize(pkg, options.heavyPackages)]))
  const { previous } = options
  const pinned = pinnedGroups(sorted, options.pins ?? [])
  const isPinned = new Set(pinned.flatMap((group) => group.packages.map((pkg) => pkg.name)))
  const loose = sorted.filter((pkg) => !isPinned.has(pkg.name))
  const places = options.maxLayers - pinned.length
  if (places < (loose.length === 0 ? 0 : 1)) {
    throw new RangeError(`${pinned.length} fixed layers leave none of ${options.maxLayers} for the other packages`)
  }
  const carried =
    previous === undefined
      ? { kept: [], pool: loose, changed: new Set<string>() }
      : carryOver(previous, sorted, sizes, { ...options, maxLayers: places, isPinned })
  const before = previous?.history ?? options.history ?? NO_HISTORY
  const names = sorted.map((pkg) => pkg.name)
  const history = carried.changed.size === 0 ? before : addChange(before, carried.changed, names)

  const now = lockTime(sorted)
  const itemOf = (pkg: ResolvedPackage, byAge: boolean): PlanItem => ({
    size: sizes.get(pkg.name) ?? 0,
    intensity: changeIntensity(byAge ? wheelAge(pkg.wheel.uploadedAt, now) : USUAL_AGE, pkg.dependencies.length),
    touched: history.touched.get(pkg.name) ?? 0,
    family: familyOf(pkg.name),
  })
  const free = places - carried.kept.filter((group) => group !== undefined).length
  const terms = { changes: history.changes, maxSize: options.maxLayerSize }
  const rate = (group: readonly ResolvedPackage[], byAge: boolean): number => {
    const items = group.map((pkg) => itemOf(pkg, byAge))
    const cluster = clusterOf([...items.keys()], items, terms)
    return touchChance(intensityOf(cluster), cluster.touched, terms.changes)
  }
  const bytes = (group: readonly ResolvedPackage[]): number =>
    group.reduce((sum, p) => sum + (sizes.get(p.name) ?? 0), 0)

  // Ages alone shift with every lock; beside a history, remembered or from commits, they help.
  const byAge = before.changes > 0 || previous !== undefined
  const split = (pool: readonly ResolvedPackage[], count: number): Split => {
    const items = pool.map((pkg) => itemOf(pkg, byAge))
    const groups = partition(items, count, terms).map((members) => members.flatMap((at) => pool[at] ?? []))
    return { groups, cost: groups.reduce((sum, group) => sum + costOf(group), 0) }
  }
  const costOf = (group: readonly ResolvedPackage[]): number => bytes(group) * rate(group, byAge)
  const { kept, split: fresh } = openGroups({ ...carried, free }, { split, bytes, costOf })
  // Steady and large at the bottom: runtimes that look layers up from below find more of them again.
  const density = new Map(fresh.groups.map((group) => [group, rate(group, byAge) / Math.max(1, bytes(group))]))
  const steadyFirst = [...fresh.groups].sort(
    (a, b) => (density.get(a) ?? 0) - (density.get(b) ?? 0) || ((a[0]?.name ?? '') < (b[0]?.name ?? '') ? -1 : 1),
  )
  const total = bytes(sorted)
  const isNew = new Set<readonly ResolvedPackage[]>(fresh.groups)
  const groups = fillPlaces(kept, steadyFirst).map((group): LayerGroup => {
    const size = bytes(group)
    const changeRate = rate(group, true)
    const facts = {
      packages: group,
      size,
      changeRate,
      total,
      maxLayerSize: options.maxLayerSize,
      isKept: !isNew.has(group),
    }
    return { packages: group, size, changeRate, reason: groupReason(facts) }
  })
  const fixed = pinned.map(({ packages: group, pin }): LayerGroup => {
    return { packages: group, size: bytes(group), changeRate: rate(group, true), reason: pinReason(pin) }
  })
  return { groups: [...fixed, ...groups], history }
}

function pinReason(pin: LayerPin): string {
  return `fixed by the input layers: ${pin.join(', ')}`
}
