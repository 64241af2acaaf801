import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { type Moved, replay } from '../../bench/replay/replay.ts'
import { STRATEGIES } from '../../bench/replay/strategies.ts'
import { digestOf } from '../../src/base/digest.ts'
import { planLayers } from '../../src/layers/layer-plan.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'
import { lockedPackage } from '../support/locked-package.ts'

/**
 * The first locks of a real service (docling-project/docling-serve), its packages of 150 kB and more, as changes from
 * one lock to the next: `{name: [version, end of the hash, bytes, upload time] | null}`.
 */
function realLocks(): readonly (readonly ResolvedPackage[])[] {
  const changes: unknown = JSON.parse(readFileSync(join(import.meta.dirname, 'real-locks.json'), 'utf8'))
  if (!Array.isArray(changes)) throw new Error('not a list')
  const packages = new Map<string, ResolvedPackage>()
  return changes.map((change: object) => {
    for (const [name, facts] of Object.entries(change)) {
      if (facts === null) packages.delete(name)
      else packages.set(name, packageOf(name, facts))
    }
    return [...packages.values()]
  })
}

function packageOf(
  name: string,
  [version, hash, size, uploadedAt]: [string, string, number, number | null],
): ResolvedPackage {
  return {
    name,
    version,
    wheel: { fileName: `${name}.whl`, size, uploadedAt: uploadedAt ?? undefined },
    hashes: [digestOf(hash)],
    dependencies: [],
  }
}

const HISTORY = { name: 'real', locks: realLocks() }

function moved(name: string): Moved {
  const strategy = STRATEGIES.get(name)
  if (strategy === undefined) throw new Error(`no strategy ${name}`)
  return replay(HISTORY, strategy)
}

function share(name: string): number {
  return moved(name).pushed
}

describe('on real locks', () => {
  test('one layer moves everything, one layer per package the least', () => {
    expect(share('one layer')).toBe(1)
    expect(share('one layer per package (bound)')).toBeCloseTo(0.12335, 4)
  })

  test('our plan moves less than a sixth of what one layer moves, and less with more layers', () => {
    const eight = share('our plan, 8 layers')
    const sixteen = share('our plan, 16 layers')
    expect(eight).toBeLessThan(0.16)
    expect(sixteen).toBeLessThan(0.14)
    expect(sixteen).toBeLessThan(eight)
  })

  test('the best chain moves more than ours, biggest-first more than the best chain', () => {
    const chain = share('best chain, 8 layers')
    expect(share('our plan, 8 layers')).toBeLessThan(chain)
    expect(chain).toBeLessThan(share('biggest packages apart, 8 layers'))
    expect(share('biggest packages apart, 8 layers')).toBeLessThan(1)
  })

  test('who knows the history can do better with groups that never change, and not better than the bound', () => {
    const clairvoyant = share('clairvoyant plan that never changes, 8 layers')
    expect(clairvoyant).toBeLessThan(share('our plan, 8 layers'))
    expect(clairvoyant).toBeGreaterThan(share('one layer per package (bound)'))
  })

  test('who knows layers only by what is below pulls more of them than who knows their content', () => {
    const { pushed, pulled, pulledByChain } = moved('our plan, 8 layers')
    expect(pulled).toBeGreaterThanOrEqual(pushed)
    expect(pulledByChain).toBeGreaterThan(pulled)
    const chain = moved('best chain, 8 layers')
    expect(chain.pulledByChain).toBeCloseTo(chain.pulled, 10)
  })

  test('a plan whose predecessor is lost each time still moves less than a fifth', () => {
    expect(share('our plan, 8 layers, previous plan lost each time')).toBeLessThan(0.2)
  })

  test('a light package more, without a previous plan, leaves the heavy groups as they are', () => {
    for (const lock of HISTORY.locks.slice(-8)) {
      const heavyGroups = (packages: readonly ResolvedPackage[]): readonly string[] =>
        planLayers(packages, { maxLayers: 8, maxLayerSize: 1e9 })
          .groups.filter((group) => group.size > 100e6)
          .map((group) => group.packages.map((pkg) => pkg.name).join())
      expect(heavyGroups([...lock, lockedPackage('one-more', '1', 90_000, 1)])).toEqual(heavyGroups(lock))
    }
  })
})
