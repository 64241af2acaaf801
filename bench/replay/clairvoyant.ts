import { estimatedSize } from '../../src/layers/heavy-packages.ts'
import { packageFingerprint } from '../../src/layers/previous-plan.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'

/** Packages that never part in the search, with the locks that change any of them. */
interface Block {
  readonly names: readonly string[]
  /** By lock: compressed bytes of the block's packages in it. */
  readonly bytes: Float64Array
  /** By lock: 1 where the step to it changes, adds or removes one of them. */
  readonly touched: Uint8Array
}

/**
 * Groups for a plan that knows the whole history and never changes: the pair of groups whose union costs least more is
 * merged until few enough are left, then single blocks move to where they cost least. A yardstick, not a bound: a plan
 * that is made anew as locks change can do better.
 * @returns number of the group by package name
 */
export function clairvoyantGroups(
  locks: readonly (readonly ResolvedPackage[])[],
  count: number,
): ReadonlyMap<string, number> {
  const clusters: Block[][] = blocksOf(locks).map((block) => [block])
  while (clusters.length > count) {
    let best = { first: 0, second: 1, cost: Number.POSITIVE_INFINITY }
    const alone = clusters.map(costOf)
    for (let first = 0; first < clusters.length; first++) {
      for (let second = first + 1; second < clusters.length; second++) {
        const union = costOf([...(clusters[first] ?? []), ...(clusters[second] ?? [])])
        const cost = union - (alone[first] ?? 0) - (alone[second] ?? 0)
        if (cost < best.cost) best = { first, second, cost }
      }
    }
    const [merged = []] = clusters.splice(best.second, 1)
    clusters[best.first] = [...(clusters[best.first] ?? []), ...merged]
  }
  moveBlocks(clusters)
  return new Map(clusters.flatMap((blocks, at) => blocks.flatMap(({ names }) => names.map((name) => [name, at]))))
}

function moveBlocks(clusters: Block[][]): void {
  for (let moved = true; moved; ) {
    moved = false
    for (const block of clusters.flat()) {
      const from = clusters.findIndex((cluster) => cluster.includes(block))
      const source = clusters[from] ?? []
      const rest = source.filter((other) => other !== block)
      const gain = costOf(source) - costOf(rest)
      let best = { to: from, change: -1 }
      for (const [to, cluster] of clusters.entries()) {
        if (to === from) continue
        const change = costOf([...cluster, block]) - costOf(cluster) - gain
        if (change < best.change) best = { to, change }
      }
      if (best.to === from) continue
      clusters[from] = rest
      clusters[best.to]?.push(block)
      moved = true
    }
  }
}

/** Bytes that the history rebuilds for blocks in one layer. */
function costOf(blocks: readonly Block[]): number {
  const [first] = blocks
  if (first === undefined) return 0
  let cost = 0
  for (let at = 1; at < first.bytes.length; at++) {
    let isTouched = false
    let bytes = 0
    for (const block of blocks) {
      if (block.touched[at] === 1) isTouched = true
      bytes += block.bytes[at] ?? 0
    }
    if (isTouched) cost += bytes
  }
  return cost
}

/** Small packages with the same changes count as one block, which keeps the search short. */
function blocksOf(locks: readonly (readonly ResolvedPackage[])[]): readonly Block[] {
  const byName = locks.map((lock) => new Map(lock.map((pkg) => [pkg.name, pkg])))
  const blocks = new Map<string, Block>()
  for (const name of new Set(locks.flatMap((lock) => lock.map((pkg) => pkg.name)))) {
    const bytes = Float64Array.from(byName, (lock) => sizeOf(lock.get(name)))
    const touched = Uint8Array.from(byName, (lock, at) =>
      markOf(lock.get(name)) === markOf(byName[at - 1]?.get(name)) ? 0 : 1,
    )
    const key = touched.slice(1).join('')
    const known = blocks.get(key)
    blocks.set(key, {
      names: [...(known?.names ?? []), name],
      bytes: known === undefined ? bytes : bytes.map((size, at) => size + (known.bytes[at] ?? 0)),
      touched,
    })
  }
  return [...blocks.values()]
}

function sizeOf(pkg: ResolvedPackage | undefined): number {
  return pkg === undefined ? 0 : estimatedSize(pkg)
}

function markOf(pkg: ResolvedPackage | undefined): string {
  return pkg === undefined ? '' : packageFingerprint(pkg)
}
