import { expect, test } from '@jest/globals'
import { explainPlan } from '../../src/layers/explain-plan.ts'
import { lockedPackage } from '../support/locked-package.ts'

test('a plan is told from the bottom, the largest names first', () => {
  const light = ['a', 'b', 'c', 'd', 'e'].map((name, at) => lockedPackage(name, '1', 1000 + at))
  const plan = {
    groups: [
      { packages: [lockedPackage('torch', '2.7.0', 850e6)], size: 850e6, changeRate: 0.034, reason: 'because' },
      { packages: light, size: 5010, changeRate: 0.004, reason: 'so' },
    ],
  }
  expect(explainPlan(plan)).toEqual([
    { layer: 1, packages: ['torch 2.7.0'], title: 'torch', size: '850.0 MB', changeRate: '3 %', reason: 'because' },
    {
      layer: 2,
      packages: ['a 1', 'b 1', 'c 1', 'd 1', 'e 1'],
      title: 'e, d, c and 2 more',
      size: '5 kB',
      changeRate: 'under 1 %',
      reason: 'so',
    },
  ])
})
