import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { estimatedSize } from '../../src/layers/heavy-packages.ts'
import { planLayers } from '../../src/layers/layer-plan.ts'
import { decodePlan, encodePlan } from '../../src/layers/previous-plan.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'
import { type LockHistory, readLockHistories } from './lock-history.ts'
import { STRATEGIES, type Strategy } from './strategies.ts'

/** Shares of the image's bytes that a lock change moves, on average. */
export interface Moved {
  /** Rebuilt and pushed: layers that no build before had. */
  readonly pushed: number
  /** Pulled by who has the image before and knows layers by content. */
  readonly pulled: number
  /** Pulled by who knows a layer only above the same layers (ChainID), as Docker's classic store does. */
  readonly pulledByChain: number
}

/**
 * Replays real lock histories: which share of an image's bytes moves when its lock changes?
 *
 * A layer is known by the wheels in it, and in a chain by those of all layers below as well. A history's figure is the
 * sum over its changes divided by the sum of the image's bytes; the first build counts for nothing. The last columns
 * are geometric means.
 *
 *     node bench/replay/replay.ts [folder] [--only name,name]
 */
export function replay(history: LockHistory, strategy: Strategy): Moved {
  const plan = strategy(history.locks)
  const everPushed = new Set<string>()
  let before: readonly string[] = []
  const sums = { pushed: 0, pulled: 0, pulledByChain: 0, total: 0 }
  for (const [index, lock] of history.locks.entries()) {
    const { groups, isChain } = plan(lock)
    const keys = groups.map((group, at) => keyOf(isChain ? groups.slice(0, at + 1).flat() : group))
    const same = keys.findIndex((key, at) => key !== before[at])
    for (const [at, group] of groups.entries()) {
      const key = keys[at] ?? ''
      if (index > 0) {
        const bytes = bytesOf(group)
        if (!everPushed.has(key)) sums.pushed += bytes
        if (!before.includes(key)) sums.pulled += bytes
        if (same >= 0 && at >= same) sums.pulledByChain += bytes
      }
      everPushed.add(key)
    }
    if (index > 0) sums.total += bytesOf(lock)
    before = keys
  }
  const { pushed, pulled, pulledByChain, total } = sums
  return { pushed: pushed / total, pulled: pulled / total, pulledByChain: pulledByChain / total }
}

function keyOf(group: readonly ResolvedPackage[]): string {
  return group
    .map((pkg) => `${pkg.name} ${pkg.version} ${pkg.hashes.join()}`)
    .sort()
    .join('\n')
}

function bytesOf(group: readonly ResolvedPackage[]): number {
  return group.reduce((sum, pkg) => sum + estimatedSize(pkg), 0)
}

function main(): void {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } })
  const root = join(import.meta.dirname, '..', '..')
  const folder =
    positionals[0] ?? process.env.LOCK_HISTORIES ?? join(root, '..', 'shared', 'fixtures', 'lock-histories')
  const only = values.only?.split(',')
  const histories = readLockHistories(folder).filter(({ name }) => only?.includes(name) ?? true)
  if (histories.length === 0) throw new Error(`no lock histories in ${folder}`)
  const percent = (share: number): string => (100 * share).toFixed(1)
  const names = histories.map(({ name, locks }) => `${name} (${locks.length})`)
  console.log(`Bytes rebuilt and pushed for each lock change, % of the image's (${histories.length} histories).\n`)
  console.log(`| layers | ${names.join(' | ')} | geometric mean | pulled, by content | pulled, by ChainID |`)
  console.log(`|---|${histories.map(() => '--:').join('|')}|--:|--:|--:|`)
  for (const [name, strategy] of STRATEGIES) {
    const moved = histories.map((history) => replay(history, strategy))
    const mean = (of: (share: Moved) => number): string => {
      return percent(Math.exp(moved.reduce((sum, share) => sum + Math.log(of(share)), 0) / moved.length))
    }
    const shares = moved.map(({ pushed }) => percent(pushed))
    const means = [mean((m) => m.pushed), mean((m) => m.pulled), mean((m) => m.pulledByChain)]
    console.log(`| ${[name, ...shares, ...means].join(' | ')} |`)
  }
  timePlanner()
}

/** The planner on 500 packages that know 200 lock changes; its own target is under a second. */
function timePlanner(): void {
  const lock = Array.from({ length: 500 }, (_, at): ResolvedPackage => {
    const size = Math.round(2e4 * 1.02 ** (at % 400)) + at
    const wheel = { fileName: '', size, uploadedAt: 1.7e9 + at * 90_000 }
    return { name: `package-${at}`, version: '1', wheel, hashes: ['a'], dependencies: [] }
  })
  let previous = planLayers(lock, { maxLayers: 16, maxLayerSize: 1e9 })
  let slowest = 0
  for (let change = 1; change <= 200; change++) {
    const changed = lock.map((pkg, at) => ((at * 7 + change * 13) % 50 < 3 ? { ...pkg, version: `${change}` } : pkg))
    const begin = performance.now()
    const remembered = decodePlan(encodePlan(previous))
    previous = planLayers(changed, { maxLayers: 16, maxLayerSize: 1e9, previous: remembered })
    slowest = Math.max(slowest, performance.now() - begin)
  }
  console.log(`\nPlanning 500 packages after each of 200 lock changes: ${slowest.toFixed(0)} ms for the slowest.`)
}

if (import.meta.main) main()
