import { describe, expect, test } from '@jest/globals'
import {
  changeChance,
  changeIntensity,
  lockTime,
  USUAL_AGE,
  unionChance,
  wheelAge,
} from '../../src/layers/change-rate.ts'
import { LOCK_DAY, lockedPackage } from '../support/locked-package.ts'

describe('changeChance', () => {
  test.each([
    [0, 0, 0.153],
    [7, 0, 0.084],
    [100, 0, 0.03],
    [960, 0, 0.011],
    [-5, 0, 0.153],
    [100, 20, 0.062],
  ])('a wheel of %d days with %d dependencies changes with %d', (days, dependencies, expected) => {
    expect(changeChance(days, dependencies)).toBeCloseTo(expected, 3)
  })
})

describe('unionChance', () => {
  test('is nearly the sum for few changes and stays below one for many', () => {
    expect(unionChance(0)).toBe(0)
    expect(unionChance(0.01)).toBeCloseTo(0.01, 3)
    expect(unionChance(1000)).toBeLessThan(1)
  })

  test('grows with every package, less and less', () => {
    const one = changeIntensity(100, 0)
    const steps = [1, 2, 3, 4].map((count) => unionChance(count * one) - unionChance((count - 1) * one))
    expect(steps).toEqual([...steps].sort((a, b) => b - a))
    expect(Math.min(...steps)).toBeGreaterThan(0)
  })
})

describe('lockTime', () => {
  test('is the newest upload, so that the day of the build does not matter', () => {
    expect(lockTime([lockedPackage('a', '1', 1, 10), lockedPackage('b', '1', 1, 3), lockedPackage('c')])).toBe(
      LOCK_DAY - 3 * 86_400,
    )
  })

  test('is unknown when no package tells', () => {
    expect(lockTime([lockedPackage('a')])).toBeUndefined()
    expect(wheelAge(undefined, LOCK_DAY)).toBe(USUAL_AGE)
  })
})
