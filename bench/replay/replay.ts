import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { estimatedSize } from '../../src/layers/heavy-packages.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'
import { type LockHistory, readLockHistories } from './lock-history.ts'
import { STRATEGIES, type Strategy } from './strategies.ts'

/**
 * Replays real lock histories: which share of an image's bytes is rebuilt and pushed when its lock changes?
 *
 * The cost of a lock change is the bytes of the layers that were never pushed before: a layer is known by the wheels
 * in it, and in a chain by those of all layers below as well. A history's figure is the sum over its changes divided
 * by the sum of the image's bytes; the first build counts for nothing. The last column is the geometric mean.
 *
 *     node bench/replay/replay.ts [folder] [--only name,name]
 */
export function replay(history: LockHistory, strategy: Strategy): number {
  const plan = strategy()
  const pushed = new Set<string>()
  let moved = 0
  let total = 0
  for (const [index, lock] of history.locks.entries()) {
    const { groups, isChain } = plan(lock)
    let below = ''
    for (const group of groups) {
      const wheels = group.map((pkg) => `${pkg.name} ${pkg.version} ${pkg.hashes.join()}`)
      const key = `${below}${wheels.sort().join('\n')}`
      if (isChain) below = `${key}\n\n`
      const bytes = bytesOf(group)
      if (index > 0 && !pushed.has(key)) moved += bytes
      pushed.add(key)
    }
    if (index > 0) total += bytesOf(lock)
  }
  return moved / total
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
  console.log(`Bytes rebuilt and pushed for each lock change, % of the image's (${histories.length} histories).\n`)
  console.log(
    `| layers | ${histories.map(({ name, locks }) => `${name} (${locks.length})`).join(' | ')} | geometric mean |`,
  )
  console.log(`|---|${histories.map(() => '--:').join('|')}|--:|`)
  for (const [name, strategy] of STRATEGIES) {
    const shares = histories.map((history) => replay(history, strategy))
    const mean = Math.exp(shares.reduce((sum, share) => sum + Math.log(share), 0) / shares.length)
    console.log(`| ${name} | ${shares.map(percent).join(' | ')} | ${percent(mean)} |`)
  }
}

if (import.meta.main) main()
