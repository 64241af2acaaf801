import { unionChance } from './change-rate.ts'
import {
  type Cluster,
  type CostTerms,
  clusterOf,
  costWith,
  costWithout,
  emptyCluster,
  mergedCost,
  type PlanItem,
} from './group-cost.ts'

/** Below this share of all bytes packages that behave alike are merged beforehand: they decide nothing by themselves. */
const SMALL_SHARE = 0.004
/** Up to this many items there is no need to. */
const FEW_ITEMS = 60
/** Rounds of moving single packages; the search ends by itself, mostly after five. */
const MAX_ROUNDS = 30
/** A move must gain more than this share of all bytes, so that rounding never decides. */
const LEAST_GAIN = 1e-9

/**
 * Splits items into at most `count` groups so that the expected bytes touched by the next lock change are few: the sum
 * over groups of size times the chance that any member changes. Two starts, merging from single items and cutting the
 * items in order of intensity per byte, are both improved by moving single items; the better one is taken.
 * @param items in a fixed order: the same order gives the same groups.
 * @returns groups of indexes, none empty.
 */
export function partition(items: readonly PlanItem[], count: number, terms: CostTerms): readonly (readonly number[])[] {
  if (items.length === 0) return []
  let best: readonly Cluster[] = []
  let least = Number.POSITIVE_INFINITY
  for (const start of [mergeAlike(items, count, terms), cutInOrder(items, count)]) {
    const clusters = start.map((members) => clusterOf(members, items, terms))
    while (clusters.length < Math.min(count, items.length)) clusters.push(emptyCluster())
    moveSingles(clusters, items, terms)
    const cost = clusters.reduce((sum, cluster) => sum + cluster.cost, 0)
    if (cost < least) {
      least = cost
      best = clusters
    }
  }
  return best
    .filter((cluster) => cluster.members.length > 0)
    .map((cluster) => [...cluster.members].sort((a, b) => a - b))
}

interface Node {
  readonly cluster: Cluster
  nearest: Node | undefined
  /** What merging with the nearest costs more than keeping both apart. */
  distance: number
}

/** Agglomerative merging: the pair whose union costs least more, again and again. */
function mergeAlike(items: readonly PlanItem[], count: number, terms: CostTerms): readonly (readonly number[])[] {
  let nodes: Node[] = bucketsOf(items).map((members) => ({
    cluster: clusterOf(members, items, terms),
    nearest: undefined,
    distance: Number.POSITIVE_INFINITY,
  }))
  const look = (node: Node, others: readonly Node[]): void => {
    for (const other of others) {
      if (other === node) continue
      const distance = mergedCost(node.cluster, other.cluster, items, terms) - node.cluster.cost - other.cluster.cost
      if (distance < node.distance) {
        node.distance = distance
        node.nearest = other
      }
    }
  }
  for (const node of nodes) look(node, nodes)
  while (nodes.length > count) {
    let first = nodes[0]
    for (const node of nodes) if (first === undefined || node.distance < first.distance) first = node
    const second = first?.nearest
    if (first === undefined || second === undefined) break
    const cluster = clusterOf([...first.cluster.members, ...second.cluster.members], items, terms)
    const merged: Node = { cluster, nearest: undefined, distance: Number.POSITIVE_INFINITY }
    const gone = [first, second]
    nodes = [...nodes.filter((node) => !gone.includes(node)), merged]
    for (const node of nodes) {
      if (node === merged) look(node, nodes)
      else if (node.nearest !== undefined && gone.includes(node.nearest)) {
        node.distance = Number.POSITIVE_INFINITY
        look(node, nodes)
      } else look(node, [merged])
    }
  }
  return nodes.map((node) => node.cluster.members)
}

function bucketsOf(items: readonly PlanItem[]): readonly (readonly number[])[] {
  const total = items.reduce((sum, item) => sum + item.size, 0)
  const buckets = new Map<string, number[]>()
  for (const [index, item] of items.entries()) {
    const small = items.length > FEW_ITEMS && item.size < total * SMALL_SHARE
    const alike = `${Math.round(Math.log2(item.intensity) * 2)} ${item.touched} ${item.family}`
    const key = small ? alike : String(index)
    const bucket = buckets.get(key)
    if (bucket === undefined) buckets.set(key, [index])
    else bucket.push(index)
  }
  return [...buckets.values()]
}

/** The best cut of the items, sorted by intensity per byte, into `count` runs; exact for independent changes. */
function cutInOrder(items: readonly PlanItem[], count: number): readonly (readonly number[])[] {
  const density = (index: number): number => (items[index]?.intensity ?? 0) / Math.max(1, items[index]?.size ?? 0)
  const order = items.map((_, index) => index).sort((a, b) => density(a) - density(b) || a - b)
  const n = order.length
  const sizes = new Float64Array(n + 1)
  const intensities = new Float64Array(n + 1)
  for (const [at, index] of order.entries()) {
    sizes[at + 1] = (sizes[at] ?? 0) + (items[index]?.size ?? 0)
    intensities[at + 1] = (intensities[at] ?? 0) + (items[index]?.intensity ?? 0)
  }
  const runs = Math.min(count, n)
  let previous = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY)
  previous[0] = 0
  const cuts: Int32Array[] = []
  for (let run = 0; run < runs; run++) {
    const current = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY)
    const cut = new Int32Array(n + 1)
    for (let end = run + 1; end <= n; end++) {
      for (let start = run; start < end; start++) {
        const size = (sizes[end] ?? 0) - (sizes[start] ?? 0)
        const chance = unionChance((intensities[end] ?? 0) - (intensities[start] ?? 0))
        const cost = (previous[start] ?? Number.POSITIVE_INFINITY) + size * chance
        if (cost < (current[end] ?? 0)) {
          current[end] = cost
          cut[end] = start
        }
      }
    }
    cuts.push(cut)
    previous = current
  }
  const groups: number[][] = []
  for (let run = runs - 1, end = n; run >= 0; run--) {
    const start = cuts[run]?.[end] ?? 0
    groups.push(order.slice(start, end))
    end = start
  }
  return groups
}

/** Moves single items to where they cost least, until no move gains anything. */
function moveSingles(clusters: Cluster[], items: readonly PlanItem[], terms: CostTerms): void {
  const least = LEAST_GAIN * items.reduce((sum, item) => sum + item.size, 0)
  const home = new Map<number, number>()
  for (const [at, cluster] of clusters.entries()) for (const member of cluster.members) home.set(member, at)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let moved = false
    for (const [index, item] of items.entries()) {
      const from = home.get(index) ?? 0
      const source = clusters[from]
      if (source === undefined) continue
      const gain = source.cost - costWithout(source, index, items, terms)
      let to = -1
      let best = -least
      for (const [at, target] of clusters.entries()) {
        if (at === from) continue
        const change = costWith(target, item, items, terms) - target.cost - gain
        if (change < best) {
          best = change
          to = at
        }
      }
      const target = clusters[to]
      if (target === undefined) continue
      clusters[from] = clusterOf(
        source.members.filter((member) => member !== index),
        items,
        terms,
      )
      clusters[to] = clusterOf([...target.members, index], items, terms)
      home.set(index, to)
      moved = true
    }
    if (!moved) return
  }
}
