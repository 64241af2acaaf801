import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { LayerPlan } from '../../src/layers/layer-plan.ts'
import { type PlanOptions, planLayers } from '../../src/layers/layer-plan.ts'
import { decodePlan, encodePlan } from '../../src/layers/previous-plan.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'
import { lockedPackage } from '../support/locked-package.ts'

const BOUNDS = { maxLayers: 8, maxLayerSize: 1e9 }

const anyPackage = fc
  .record({
    name: fc.constantFrom(
      ...Array.from({ length: 120 }, (_, at) => `package-${at}`),
      'torch',
      'triton',
      'nvidia-cublas-cu12',
    ),
    version: fc.constantFrom('1', '2'),
    size: fc.option(fc.integer({ min: 100, max: 900e6 }), { nil: undefined }),
    age: fc.option(fc.integer({ min: 0, max: 2000 }), { nil: undefined }),
  })
  .map(({ name, version, size, age }) => lockedPackage(name, version, size, age))
const anyLock = fc.uniqueArray(anyPackage, { selector: (pkg) => pkg.name, maxLength: 90 })
const anyBounds = fc.record({
  maxLayers: fc.integer({ min: 1, max: 16 }),
  maxLayerSize: fc.constantFrom(1e6, 300e6, 1e9, 1e12),
})

function namesOf(plan: LayerPlan): readonly (readonly string[])[] {
  return plan.groups.map((group) => group.packages.map((pkg) => pkg.name))
}

function next(plan: LayerPlan, lock: readonly ResolvedPackage[], bounds: PlanOptions = BOUNDS): LayerPlan {
  const previous = decodePlan(encodePlan(plan))
  if (previous === undefined) throw new Error('a plan that can not be read back')
  return planLayers(lock, { ...bounds, previous })
}

function with2<T>(list: readonly T[], at: number, value: T): readonly T[] {
  return list.map((old, index) => (index === at ? value : old))
}

/** A lock like that of a web service with a model: a few heavy packages and many light ones. */
const SERVICE: readonly ResolvedPackage[] = [
  lockedPackage('torch', '2.7.0', 850e6, 60),
  lockedPackage('nvidia-cudnn-cu12', '9.5', 570e6, 200),
  lockedPackage('nvidia-cublas-cu12', '12.6', 390e6, 200),
  lockedPackage('nvidia-cufft-cu12', '11.3', 200e6, 200),
  lockedPackage('triton', '3.3', 156e6, 60),
  lockedPackage('scipy', '1.15', 37e6, 90),
  lockedPackage('numpy', '2.2', 16e6, 40),
  lockedPackage('pandas', '2.2', 12e6, 150),
  lockedPackage('transformers', '4.50', 10e6, 5),
  lockedPackage('tokenizers', '0.21', 3e6, 100),
  ...Array.from({ length: 60 }, (_, at) => lockedPackage(`light-${at}`, '1', 20_000 + at * 3_000, at * 17)),
]

describe('planLayers', () => {
  test('puts every package into exactly one group, sorted by name', () => {
    fc.assert(
      fc.property(anyLock, anyBounds, (lock, bounds) => {
        const plan = planLayers(lock, bounds)
        expect(namesOf(plan).flat().sort()).toEqual(lock.map((pkg) => pkg.name).sort())
        for (const group of namesOf(plan)) expect(group).toEqual([...group].sort())
      }),
    )
  })

  test('keeps the bounds', () => {
    fc.assert(
      fc.property(anyLock, anyBounds, (lock, bounds) => {
        const { groups } = planLayers(lock, bounds)
        const total = groups.reduce((sum, group) => sum + group.size, 0)
        expect(groups.length).toBeLessThanOrEqual(bounds.maxLayers)
        // Within half the room that the layers offer a plan can always be found.
        if (total > (bounds.maxLayers * bounds.maxLayerSize) / 2) return
        for (const group of groups) {
          if (group.packages.length > 1) expect(group.size).toBeLessThanOrEqual(bounds.maxLayerSize)
        }
      }),
    )
  })

  test('does not depend on the order of the packages', () => {
    fc.assert(
      fc.property(anyLock, anyLock, fc.integer(), (first, second, seed) => {
        const shuffled = (lock: readonly ResolvedPackage[]): readonly ResolvedPackage[] =>
          fc.sample(fc.shuffledSubarray([...lock], { minLength: lock.length }), { seed, numRuns: 1 })[0] ?? []
        const plan = planLayers(first, BOUNDS)
        expect(planLayers(shuffled(first), BOUNDS)).toEqual(plan)
        expect(next(plan, shuffled(second))).toEqual(next(plan, second))
      }),
      { numRuns: 50 },
    )
  })

  test('does not depend on the ages of wheels when there is no previous plan', () => {
    fc.assert(
      fc.property(anyLock, fc.integer({ min: 0, max: 5000 }), (lock, days) => {
        const older = lock.map((pkg, at) => lockedPackage(pkg.name, pkg.version, pkg.wheel.size, (at * days) % 3000))
        expect(namesOf(planLayers(older, BOUNDS))).toEqual(namesOf(planLayers(lock, BOUNDS)))
      }),
      { numRuns: 50 },
    )
  })

  test('sets large packages apart and gathers the light ones', () => {
    const groups = namesOf(planLayers(SERVICE, BOUNDS))
    expect(groups).toHaveLength(8)
    const home = (name: string): readonly string[] => groups.find((group) => group.includes(name)) ?? []
    expect(home('torch')).not.toContain('nvidia-cudnn-cu12')
    expect(home('light-1')).toEqual(expect.arrayContaining(['light-2', 'light-30', 'light-50']))
    expect(home('light-1')).not.toContain('scipy')
    // The light group changes most for its bytes and so lies on top.
    expect(groups.at(-1)).toContain('light-1')
  })

  test('says for each group why it is one', () => {
    const plan = planLayers([...SERVICE, lockedPackage('huge', '1', 2e9)], { ...BOUNDS, maxLayers: 6 })
    const reasons = plan.groups.map((group) => group.reason)
    for (const reason of reasons) expect(reason).toMatch(/^\S.*[^.]$/)
    expect(reasons).toContainEqual(expect.stringContaining('huge alone is larger than a layer should be'))
    expect(reasons).toContainEqual(expect.stringContaining('parts of CUDA toolkit'))
    expect(reasons).toContainEqual(expect.stringMatching(/^\d+ light packages: cheap to rebuild/))
  })

  test('needs no size: names that are known to be heavy, or were given, stand apart', () => {
    const lock = ['torch', 'own-models', 'a', 'b', 'c'].map((name) => lockedPackage(name))
    const groups = namesOf(planLayers(lock, { ...BOUNDS, maxLayers: 3, heavyPackages: ['own-models'] }))
    expect([...groups].sort()).toEqual([['a', 'b', 'c'], ['own-models'], ['torch']])
  })

  test.each([
    [{ maxLayers: 0, maxLayerSize: 1 }, 'maxLayers'],
    [{ maxLayers: 1.5, maxLayerSize: 1 }, 'maxLayers'],
    [{ maxLayers: 1, maxLayerSize: 0 }, 'maxLayerSize'],
    [{ maxLayers: 1, maxLayerSize: Number.NaN }, 'maxLayerSize'],
  ])('refuses bounds that no plan can keep: %p', (bounds, name) => {
    expect(() => planLayers([], bounds)).toThrow(name)
  })

  test('refuses a package that is there twice', () => {
    expect(() => planLayers([lockedPackage('a', '1'), lockedPackage('a', '2')], BOUNDS)).toThrow('twice')
  })
})

describe('planLayers with a previous plan', () => {
  test('leaves an unchanged lock as it is, history included', () => {
    fc.assert(
      fc.property(anyLock, anyBounds, (lock, bounds) => {
        const plan = planLayers(lock, bounds)
        const again = next(plan, lock, bounds)
        expect(again.history).toEqual(plan.history)
        const isTooSmall = plan.groups.some((group) => group.packages.length > 1 && group.size > bounds.maxLayerSize)
        if (!isTooSmall) expect(namesOf(again)).toEqual(namesOf(plan))
      }),
    )
  })

  test('keeps groups that nothing touched, in their order', () => {
    fc.assert(
      fc.property(anyLock, anyLock, (before, after) => {
        const bounds = { maxLayers: 12, maxLayerSize: 1e12 }
        const plan = planLayers(before, bounds)
        const replanned = namesOf(next(plan, after, bounds)).map((group) => group.join())
        const same = new Set(after.map((pkg) => `${pkg.name} ${pkg.version}`))
        const clean = plan.groups.filter((group) =>
          group.packages.every((pkg) => same.has(`${pkg.name} ${pkg.version}`)),
        )
        const cleanNames = clean.map((group) => group.packages.map((pkg) => pkg.name).join())
        const kept = replanned.filter((names) => cleanNames.includes(names))
        // One clean group may be opened when all places are taken and a package is new.
        expect(kept.length).toBeGreaterThanOrEqual(cleanNames.length - 1)
        expect(kept).toEqual(cleanNames.filter((names) => kept.includes(names)))
      }),
    )
  })

  test('a changed light package touches one group, which keeps its place', () => {
    const plan = planLayers(SERVICE, BOUNDS)
    const at = SERVICE.findIndex((pkg) => pkg.name === 'light-7')
    const changed = next(plan, with2(SERVICE, at, lockedPackage('light-7', '2', 41_000, 0)))
    const before = namesOf(plan)
    const after = namesOf(changed)
    expect(after).toHaveLength(before.length)
    expect(after.filter((group, place) => group.join() !== before[place]?.join())).toEqual([])
    expect(
      changed.groups.filter((group) => group.reason.includes('unchanged') || group.reason.includes('none of its')),
    ).toHaveLength(7)
    expect(changed.history).toEqual({ changes: 1, touched: new Map([['light-7', 1]]) })
  })

  test('a new light package opens the smallest group alone', () => {
    const plan = planLayers(SERVICE, BOUNDS)
    const smallest = [...plan.groups].sort((a, b) => a.size - b.size)[0]
    const before = namesOf(plan).map((group) => group.join())
    const after = namesOf(next(plan, [...SERVICE, lockedPackage('newcomer', '1', 80_000, 1)])).map((group) =>
      group.join(),
    )
    expect(before.filter((names) => !after.includes(names))).toEqual([smallest?.packages.map((pkg) => pkg.name).join()])
  })

  test('a group that comes apart goes into the free place and on top, never between kept ones', () => {
    const bounds = { maxLayers: 3, maxLayerSize: 1e12 }
    const lock = ['a', 'b', 'c', 'd'].map((name, at) => lockedPackage(name, '1', (4 - at) * 100e6))
    const plan = planLayers(lock, { ...bounds, maxLayers: 2 })
    expect(namesOf(plan)).toHaveLength(2)
    const [first] = namesOf(plan)
    const member = first?.[0] ?? ''
    const changed = lock.map((pkg) => (pkg.name === member ? lockedPackage(pkg.name, '2', pkg.wheel.size) : pkg))
    const after = namesOf(next(plan, changed, bounds))
    expect(after[1]).toEqual(namesOf(plan)[1])
  })

  test('fewer layers than before open the smallest groups', () => {
    const plan = planLayers(SERVICE, BOUNDS)
    const fewer = next(plan, SERVICE, { ...BOUNDS, maxLayers: 5 })
    expect(fewer.groups.length).toBeLessThanOrEqual(5)
    expect(namesOf(fewer)).toContainEqual(['torch'])
  })

  test('learns which packages change together', () => {
    const bounds = { maxLayers: 2, maxLayerSize: 1e12 }
    const sizes = { a: 100e6, b: 101e6, c: 102e6, d: 103e6 }
    const lockAt = (versions: Readonly<Record<keyof typeof sizes, number>>): readonly ResolvedPackage[] =>
      (['a', 'b', 'c', 'd'] as const).map((name) => lockedPackage(name, String(versions[name]), sizes[name], 100))
    let plan = planLayers(lockAt({ a: 1, b: 1, c: 1, d: 1 }), bounds)
    for (let n = 2; n < 14; n++) plan = next(plan, lockAt({ a: n, c: n, b: n - (n % 2), d: n - (n % 2) }), bounds)
    expect([...namesOf(plan)].sort()).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ])
  })
})
