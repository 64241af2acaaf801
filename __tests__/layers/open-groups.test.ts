import { describe, expect, test } from '@jest/globals'
import { openGroups, type SplitTerms } from '../../src/layers/open-groups.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'
import { lockedPackage } from '../support/locked-package.ts'

type Group = readonly ResolvedPackage[]

const big = lockedPackage('big')
const small = lockedPackage('small')
const restless = lockedPackage('restless')
const calm = lockedPackage('calm')
const BYTES: Readonly<Record<string, number>> = { big: 1000, small: 10, restless: 20, calm: 20 }
const CHANCE: Readonly<Record<string, number>> = { big: 0.01, small: 0.01, restless: 0.9, calm: 0.01 }

/** Splits by hand: restless apart where there are two places, all together where there is one. */
function terms(asked: string[] = []): SplitTerms {
  const bytes = (group: Group): number => group.reduce((sum, { name }) => sum + (BYTES[name] ?? 0), 0)
  const costOf = (group: Group): number => bytes(group) * Math.max(...group.map(({ name }) => CHANCE[name] ?? 0))
  return {
    bytes,
    costOf,
    split: (pool, count) => {
      asked.push(`${pool.map(({ name }) => name).join(' ')} in ${count}`)
      const rest = pool.filter((pkg) => pkg !== restless)
      const groups = count < 2 || rest.length === pool.length ? [pool] : [[restless], rest]
      const filled = groups.filter((group) => group.length > 0)
      return { groups: filled, cost: filled.reduce((sum, group) => sum + costOf(group), 0) }
    },
  }
}

describe('a clean group', () => {
  test('is opened where the packages beside it are better off with its place', () => {
    // One place for restless and big: every change of restless would build big anew.
    const { kept, split } = openGroups({ kept: [[small], undefined], pool: [big, restless], free: 1 }, terms())
    expect(kept).toEqual([undefined, undefined])
    expect(split.groups).toEqual([[restless], [big, small]])
  })

  test('stays where opening it costs more than the next changes save', () => {
    const { kept, split } = openGroups({ kept: [[big], undefined], pool: [calm, small], free: 1 }, terms())
    expect(kept).toEqual([[big], undefined])
    expect(split.groups).toEqual([[calm, small]])
  })

  test('is not looked at when nothing else is to be placed', () => {
    const asked: string[] = []
    expect(openGroups({ kept: [[big], [small]], pool: [], free: 0 }, terms(asked)).kept).toEqual([[big], [small]])
    expect(asked).toEqual([' in 0'])
  })

  test('is tried with the others by name, so that no order of the plan matters', () => {
    const asked: string[] = []
    openGroups({ kept: [[small], [calm]], pool: [big, restless], free: 1 }, terms(asked))
    const turned: string[] = []
    openGroups({ kept: [[small], [calm]], pool: [big, restless], free: 1 }, terms(turned))
    expect(turned).toEqual(asked)
    expect(asked.slice(0, 2)).toEqual(['big restless in 1', 'big restless small in 2'])
  })

  test('that comes out as it was, once another one is open too, stays where it was', () => {
    const splits: Readonly<Record<string, { groups: readonly Group[]; cost: number }>> = {
      restless: { groups: [[restless]], cost: 100 },
      'restless small': { groups: [[restless, small]], cost: 50 },
      'calm restless small': { groups: [[calm, restless], [small]], cost: 0 },
    }
    const { kept, split } = openGroups(
      { kept: [[small], undefined, [calm]], pool: [restless], free: 1 },
      {
        bytes: ([first]) => BYTES[first?.name ?? ''] ?? 0,
        costOf: () => 0,
        split: (pool) => splits[pool.map(({ name }) => name).join(' ')] ?? { groups: [], cost: 0 },
      },
    )
    expect(kept).toEqual([[small], undefined, undefined])
    expect(split.groups).toEqual([[calm, restless]])
  })
})
