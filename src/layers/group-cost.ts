import { countBits, REMEMBERED_CHANGES } from './change-history.ts'
import { unionChance } from './change-rate.ts'
import { FAMILY_COUNT } from './release-families.ts'

/** What a package means to the planner. */
export interface PlanItem {
  /** Compressed bytes. */
  readonly size: number
  /** Expected changes per lock change. */
  readonly intensity: number
  /** Bits of the change history. */
  readonly touched: number
  /** Number of its release family, -1 for none. */
  readonly family: number
}

/** The terms under which groups are compared. */
export interface CostTerms {
  /** Lock changes in the history. */
  readonly changes: number
  /** Bytes that a group may have unless it is one package. */
  readonly maxSize: number
}

/** Packages under consideration as one layer, with the sums that make their cost quick to find. */
export interface Cluster {
  members: number[]
  size: number
  /** Intensity of the members that belong to no family. */
  plain: number
  readonly familySum: Float64Array
  readonly familyMax: Float64Array
  /** How many members each remembered lock change touched. */
  readonly hits: Uint16Array
  touched: number
  cost: number
}

/** How many observed lock changes the estimate from ages is worth, chosen on 20 histories; 16 to 128 differ by little. */
const PRIOR_WEIGHT = 32
/** How much of a member's changes happen in releases of its whole family. */
const FAMILY_SHARE = 0.98

export function emptyCluster(): Cluster {
  return {
    members: [],
    size: 0,
    plain: 0,
    familySum: new Float64Array(FAMILY_COUNT),
    familyMax: new Float64Array(FAMILY_COUNT),
    hits: new Uint16Array(REMEMBERED_CHANGES),
    touched: 0,
    cost: 0,
  }
}

/** Puts a member in; its cost is set by the caller. */
export function addMember(cluster: Cluster, index: number, item: PlanItem): void {
  cluster.members.push(index)
  cluster.size += item.size
  cluster.touched = (cluster.touched | item.touched) >>> 0
  for (let bits = item.touched, at = 0; bits !== 0; bits >>>= 1, at++) {
    if (bits & 1) cluster.hits[at] = (cluster.hits[at] ?? 0) + 1
  }
  if (item.family < 0) cluster.plain += item.intensity
  else {
    cluster.familySum[item.family] = (cluster.familySum[item.family] ?? 0) + item.intensity
    cluster.familyMax[item.family] = Math.max(cluster.familyMax[item.family] ?? 0, item.intensity)
  }
}

/** A cluster of these members, summed up anew: no rounding is carried along. */
export function clusterOf(members: readonly number[], items: readonly PlanItem[], terms: CostTerms): Cluster {
  const cluster = emptyCluster()
  for (const index of members) {
    const item = items[index]
    if (item !== undefined) addMember(cluster, index, item)
  }
  cluster.cost = costOf(cluster.size, intensityOf(cluster), cluster.touched, terms, () => largest(members, items))
  return cluster
}

/** Bytes expected to be rebuilt for the cluster at the next lock change, if both were one. */
export function mergedCost(a: Cluster, b: Cluster, items: readonly PlanItem[], terms: CostTerms): number {
  let intensity = a.plain + b.plain
  for (let family = 0; family < FAMILY_COUNT; family++) {
    const sum = (a.familySum[family] ?? 0) + (b.familySum[family] ?? 0)
    if (sum > 0) intensity += shared(sum, Math.max(a.familyMax[family] ?? 0, b.familyMax[family] ?? 0))
  }
  const biggest = (): number => Math.max(largest(a.members, items), largest(b.members, items))
  return costOf(a.size + b.size, intensity, (a.touched | b.touched) >>> 0, terms, biggest)
}

/** The same for the cluster with one more item. */
export function costWith(cluster: Cluster, item: PlanItem, items: readonly PlanItem[], terms: CostTerms): number {
  let intensity = intensityOf(cluster)
  if (item.family < 0) intensity += item.intensity
  else {
    const sum = cluster.familySum[item.family] ?? 0
    const max = cluster.familyMax[item.family] ?? 0
    intensity += shared(sum + item.intensity, Math.max(max, item.intensity)) - shared(sum, max)
  }
  const biggest = (): number => Math.max(largest(cluster.members, items), item.size)
  return costOf(cluster.size + item.size, intensity, (cluster.touched | item.touched) >>> 0, terms, biggest)
}

/** The same for the cluster without one of its members. */
export function costWithout(cluster: Cluster, index: number, items: readonly PlanItem[], terms: CostTerms): number {
  const item = items[index]
  if (item === undefined || cluster.members.length === 1) return 0
  let touched = cluster.touched
  for (let bits = item.touched, at = 0; bits !== 0; bits >>>= 1, at++) {
    if (bits & 1 && cluster.hits[at] === 1) touched &= ~(1 << at)
  }
  let intensity = intensityOf(cluster)
  if (item.family < 0) intensity -= item.intensity
  else {
    const sum = cluster.familySum[item.family] ?? 0
    const max = cluster.familyMax[item.family] ?? 0
    let rest = 0
    for (const other of cluster.members) {
      const member = items[other]
      if (other !== index && member?.family === item.family) rest = Math.max(rest, member.intensity)
    }
    intensity += (rest === 0 ? 0 : shared(sum - item.intensity, rest)) - shared(sum, max)
  }
  const biggest = (): number =>
    largest(
      cluster.members.filter((other) => other !== index),
      items,
    )
  return costOf(cluster.size - item.size, Math.max(0, intensity), touched >>> 0, terms, biggest)
}

/** Chance that the next lock change touches a cluster: what was seen, and what ages say, weighed together. */
export function touchChance(intensity: number, touched: number, changes: number): number {
  return (countBits(touched) + PRIOR_WEIGHT * unionChance(intensity)) / (changes + PRIOR_WEIGHT)
}

/** Expected changes of a cluster: a family's release counts once, not once for each member. */
export function intensityOf(cluster: Cluster): number {
  let intensity = cluster.plain
  for (let family = 0; family < FAMILY_COUNT; family++) {
    const sum = cluster.familySum[family] ?? 0
    if (sum > 0) intensity += shared(sum, cluster.familyMax[family] ?? 0)
  }
  return intensity
}

function shared(sum: number, max: number): number {
  return max + (1 - FAMILY_SHARE) * (sum - max)
}

function costOf(size: number, intensity: number, touched: number, terms: CostTerms, biggest: () => number): number {
  const cost = size * touchChance(intensity, touched, terms.changes)
  if (size <= terms.maxSize) return cost
  // Too large a group is worse than any that isn't: taken only when there is no other way to keep the layer count.
  const over = size - Math.max(terms.maxSize, biggest())
  return over > 0 ? cost + TOO_LARGE + 1000 * over : cost
}

const TOO_LARGE = 1e15

function largest(members: readonly number[], items: readonly PlanItem[]): number {
  let size = 0
  for (const index of members) size = Math.max(size, items[index]?.size ?? 0)
  return size
}
