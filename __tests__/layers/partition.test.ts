import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type CostTerms,
  clusterOf,
  costWith,
  costWithout,
  mergedCost,
  type PlanItem,
} from '../../src/layers/group-cost.ts'
import { partition } from '../../src/layers/partition.ts'
import { FAMILY_COUNT } from '../../src/layers/release-families.ts'

const TERMS: CostTerms = { changes: 0, maxSize: 1e9 }
const item = (size: number, intensity: number, touched = 0, family = -1): PlanItem => ({
  size,
  intensity,
  touched,
  family,
})

const anyItem = fc.record({
  size: fc.integer({ min: 0, max: 1e9 }),
  intensity: fc.double({ min: 0.005, max: 0.3, noNaN: true }),
  touched: fc.integer({ min: 0, max: 0xffffffff }),
  family: fc.integer({ min: -1, max: FAMILY_COUNT - 1 }),
})

function costOf(groups: readonly (readonly number[])[], items: readonly PlanItem[], terms: CostTerms): number {
  return groups.reduce((sum, members) => sum + clusterOf(members, items, terms).cost, 0)
}

function* allPartitions(count: number, most: number): Generator<number[][]> {
  if (count === 0) {
    yield []
    return
  }
  for (const rest of allPartitions(count - 1, most)) {
    for (const [at, group] of rest.entries()) yield rest.with(at, [...group, count - 1])
    if (rest.length < most) yield [...rest, [count - 1]]
  }
}

describe('partition', () => {
  test('keeps a heavy steady package away from light restless ones', () => {
    const items = [item(800e6, 0.03), item(1e6, 0.2), item(2e6, 0.25), item(1e6, 0.2)]
    expect(partition(items, 2, TERMS)).toEqual([[0], [1, 2, 3]])
  })

  test('puts packages together that were seen to change together', () => {
    const terms = { changes: 8, maxSize: 1e9 }
    const items = [
      item(100e6, 0.03, 0b1001),
      item(100e6, 0.03, 0b0110),
      item(100e6, 0.03, 0b1001),
      item(100e6, 0.03, 0b0110),
    ]
    expect(partition(items, 2, terms)).toEqual([
      [0, 2],
      [1, 3],
    ])
  })

  test('puts packages of one release family together', () => {
    const items = [item(100e6, 0.05, 0, 0), item(100e6, 0.05, 0, 1), item(100e6, 0.05, 0, 0), item(100e6, 0.05, 0, 1)]
    expect(partition(items, 2, TERMS)).toEqual([
      [0, 2],
      [1, 3],
    ])
  })

  test('keeps groups within the size that is asked for', () => {
    const items = Array.from({ length: 8 }, () => item(400e6, 0.03, 0, 0))
    const groups = partition(items, 4, { changes: 0, maxSize: 900e6 })
    expect(groups.map((group) => group.length)).toEqual([2, 2, 2, 2])
  })

  test('goes over the size rather than over the number of groups', () => {
    const items = Array.from({ length: 6 }, () => item(400e6, 0.03))
    expect(partition(items, 2, { changes: 0, maxSize: 500e6 })).toHaveLength(2)
  })

  test('uses every group that it may, since no group makes another dearer', () => {
    const items = Array.from({ length: 100 }, (_, at) => item(1e6 + at, 0.03))
    expect(partition(items, 8, TERMS)).toHaveLength(8)
  })

  test('finds a partition close to the best there is', () => {
    const someItems = fc.array(anyItem, { minLength: 1, maxLength: 7 })
    fc.assert(
      fc.property(someItems, fc.integer({ min: 1, max: 4 }), (items, most) => {
        const terms = { changes: 32, maxSize: Number.POSITIVE_INFINITY }
        let best = Number.POSITIVE_INFINITY
        for (const groups of allPartitions(items.length, most)) best = Math.min(best, costOf(groups, items, terms))
        expect(costOf(partition(items, most, terms), items, terms)).toBeLessThanOrEqual(best * 1.15 + 1)
      }),
      { numRuns: 60 },
    )
  })
})

describe('the cost of a change to a cluster', () => {
  test('is that of the cluster made anew', () => {
    const members = fc.array(anyItem, { minLength: 2, maxLength: 12 })
    fc.assert(
      fc.property(members, fc.boolean(), (items, isTight) => {
        const terms = { changes: 32, maxSize: isTight ? 5e8 : 1e12 }
        const indexes = [...items.keys()]
        const rest = indexes.slice(1)
        const all = clusterOf(indexes, items, terms)
        const without = clusterOf(rest, items, terms)
        const first = items[0]
        if (first === undefined) return
        expect(relative(costWith(without, first, items, terms), all.cost)).toBeLessThan(1e-9)
        expect(relative(costWithout(all, 0, items, terms), without.cost)).toBeLessThan(1e-9)
        expect(relative(mergedCost(without, clusterOf([0], items, terms), items, terms), all.cost)).toBeLessThan(1e-9)
      }),
    )
  })
})

function relative(a: number, b: number): number {
  return Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b))
}
