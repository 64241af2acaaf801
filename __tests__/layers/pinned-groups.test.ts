import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type LayerPlan, planLayers } from '../../src/layers/layer-plan.ts'
import { pinnedGroups } from '../../src/layers/pinned-groups.ts'
import { decodePlan, encodePlan } from '../../src/layers/previous-plan.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'
import { lockedPackage } from '../support/locked-package.ts'

const LOCK: readonly ResolvedPackage[] = [
  lockedPackage('torch', '2.7.0', 850e6, 60),
  lockedPackage('nvidia-cudnn-cu12', '9.5', 570e6, 200),
  lockedPackage('nvidia-cublas-cu12', '12.6', 390e6, 200),
  lockedPackage('scipy', '1.15', 37e6, 90),
  lockedPackage('numpy', '2.2', 16e6, 40),
  ...Array.from({ length: 20 }, (_, at) => lockedPackage(`light-${at}`, '1', 20_000 + at * 3_000, at * 17)),
].sort((a, b) => (a.name < b.name ? -1 : 1))
const BOUNDS = { maxLayers: 6, maxLayerSize: 1e9 }
const PINS = [['numpy', 'scipy'], ['nvidia-*']]

function namesOf(plan: LayerPlan): readonly (readonly string[])[] {
  return plan.groups.map((group) => group.packages.map((pkg) => pkg.name))
}

describe('a fixed layer', () => {
  test('holds what it names, by name and by pattern, and lies below the others in the user’s order', () => {
    const plan = planLayers(LOCK, { ...BOUNDS, pins: PINS })
    expect(namesOf(plan).slice(0, 2)).toEqual([
      ['numpy', 'scipy'],
      ['nvidia-cublas-cu12', 'nvidia-cudnn-cu12'],
    ])
    expect(plan.groups[0]?.reason).toBe('fixed by the input layers: numpy, scipy')
    expect(plan.groups.length).toBeLessThanOrEqual(BOUNDS.maxLayers)
    expect(namesOf(plan).flat().sort()).toEqual(LOCK.map(({ name }) => name))
  })

  test('may be larger than a layer that is planned', () => {
    const plan = planLayers(LOCK, { ...BOUNDS, pins: [['torch', 'nvidia-*']] })
    expect(plan.groups[0]?.size).toBe(1_810e6)
  })

  test('has each package once: the first that names it takes it', () => {
    const groups = pinnedGroups(LOCK, [['nvidia-cudnn-*'], ['nvidia-*'], ['nvidia-cublas-cu12'], ['absent']])
    expect(groups.map(({ packages }) => packages.map(({ name }) => name))).toEqual([
      ['nvidia-cudnn-cu12'],
      ['nvidia-cublas-cu12'],
    ])
  })

  test('takes a pattern’s other characters as they are', () => {
    expect(pinnedGroups(LOCK, [['light.1'], ['ligh'], ['*ight-1']]).map(({ pin }) => pin)).toEqual([['*ight-1']])
  })

  test('leaves clean layers of the previous plan alone, also where one of its own changed', () => {
    const first = planLayers(LOCK, { ...BOUNDS, pins: PINS })
    const changed = LOCK.map((pkg) => (pkg.name === 'numpy' ? lockedPackage('numpy', '2.3', 17e6, 1) : pkg))
    const previous = decodePlan(encodePlan(first))
    const second = planLayers(changed, { ...BOUNDS, pins: PINS, previous })
    expect(namesOf(second)).toEqual(namesOf(first))
  })

  test('that is new opens only the layers that its packages stood in', () => {
    const first = planLayers(LOCK, BOUNDS)
    const previous = decodePlan(encodePlan(first))
    const second = planLayers(LOCK, { ...BOUNDS, pins: [['torch']], previous })
    const untouched = namesOf(first).filter((names) => !names.includes('torch'))
    expect(namesOf(second)[0]).toEqual(['torch'])
    // One layer fewer is left for the rest, so at most one more of them is opened.
    const lost = untouched.filter((names) => !namesOf(second).some((group) => group.join() === names.join()))
    expect(lost.length).toBeLessThanOrEqual(1)
  })

  test('keeps every promise of a plan for any lock, pins and change', () => {
    const lock = fc.uniqueArray(fc.constantFrom(...LOCK), { selector: ({ name }) => name })
    const pins = fc.array(fc.array(fc.constantFrom('torch', 'nvidia-*', 'light-1*', 'numpy', '*'), { minLength: 1 }), {
      maxLength: 3,
    })
    fc.assert(
      fc.property(lock, lock, pins, pins, (before, after, oldPins, newPins) => {
        const first = planLayers(before, { ...BOUNDS, pins: oldPins })
        const options = { ...BOUNDS, pins: newPins, previous: decodePlan(encodePlan(first)) }
        const second = planLayers(after, options)
        expect(namesOf(second).flat().sort()).toEqual(after.map(({ name }) => name).sort())
        expect(second.groups.length).toBeLessThanOrEqual(BOUNDS.maxLayers)
        expect(namesOf(planLayers([...after].reverse(), options))).toEqual(namesOf(second))
      }),
    )
  })

  test('must leave a layer for the packages that no pin names', () => {
    expect(() => planLayers(LOCK, { ...BOUNDS, maxLayers: 2, pins: PINS })).toThrow(
      '2 fixed layers leave none of 2 for the other packages',
    )
  })
})
