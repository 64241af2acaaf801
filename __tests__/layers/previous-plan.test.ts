import { describe, expect, test } from '@jest/globals'
import { planLayers } from '../../src/layers/layer-plan.ts'
import { decodePlan, encodePlan, packageFingerprint } from '../../src/layers/previous-plan.ts'
import { lockedPackage } from '../support/locked-package.ts'

const PLAN = {
  groups: [
    { packages: [lockedPackage('torch', '2.7.0')], size: 1, changeRate: 0.1, reason: '' },
    { packages: [lockedPackage('idna'), lockedPackage('ruamel-yaml')], size: 1, changeRate: 0.1, reason: '' },
  ],
  history: {
    changes: 5,
    touched: new Map([
      ['idna', 0b10001],
      ['torch', 0x80000000],
    ]),
  },
}

describe('encodePlan', () => {
  test('writes one line that can stand in a label', () => {
    expect(encodePlan(PLAN)).toMatch(/^1;5;torch=[0-9a-f]{8}\.zik0zk;idna=[0-9a-f]{8}\.h,ruamel-yaml=[0-9a-f]{8}$/)
  })

  test('is read back as it was', () => {
    expect(decodePlan(encodePlan(PLAN))).toEqual({
      groups: PLAN.groups.map(({ packages }) => new Map(packages.map((pkg) => [pkg.name, packageFingerprint(pkg)]))),
      history: PLAN.history,
    })
  })

  test('an empty plan has no groups', () => {
    expect(decodePlan(encodePlan(planLayers([], { maxLayers: 8, maxLayerSize: 1e9 })))).toEqual({
      groups: [],
      history: { changes: 0, touched: new Map() },
    })
  })
})

describe('packageFingerprint', () => {
  test('changes with the version and with the wheels', () => {
    const one = lockedPackage('a', '1')
    expect(packageFingerprint(lockedPackage('a', '2'))).not.toBe(packageFingerprint(one))
    expect(packageFingerprint({ ...one, hashes: [...one.hashes, ...lockedPackage('b').hashes] })).not.toBe(
      packageFingerprint(one),
    )
    expect(packageFingerprint({ ...one, hashes: [...one.hashes].reverse() })).toBe(packageFingerprint(one))
  })
})

test.each([
  ['nothing', ''],
  ['another format', '2;0;a=00000000'],
  ['no count', '1;x;a=00000000'],
  ['more changes than are remembered', '1;33;a=00000000'],
  ['an empty group', '1;0;'],
  ['a short fingerprint', '1;0;a=0000000'],
  ['a name that is not normalised', '1;0;A=00000000'],
  ['a package twice', '1;0;a=00000000;a=00000000'],
  ['too large a history', '1;1;a=00000000.zzzzzzz'],
  ['something behind', '1;0;a=00000000,b'],
])('decodePlan refuses %s', (_, text) => {
  expect(decodePlan(text)).toBeUndefined()
})
