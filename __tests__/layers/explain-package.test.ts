import { describe, expect, test } from '@jest/globals'
import { explainPackages } from '../../src/layers/explain-package.ts'
import { planLayers } from '../../src/layers/layer-plan.ts'
import { decodePlan, encodePlan } from '../../src/layers/previous-plan.ts'
import { lockedPackage } from '../support/locked-package.ts'

const BOUNDS = { maxLayers: 3, maxLayerSize: 1e9 }
const LOCK = [
  lockedPackage('nvidia-cublas-cu12', '12.6', 390e6, 200),
  lockedPackage('nvidia-cufft-cu12', '11.3', 200e6, 200),
  lockedPackage('six', '1.17', undefined, undefined),
  lockedPackage('transformers', '4.50', 10e6, 0),
]

describe('a package of a plan', () => {
  test('costs at its next change what its layer holds', () => {
    const plan = planLayers(LOCK, { ...BOUNDS, pins: [['nvidia-*']] })
    const explained = new Map(explainPackages(plan).map((pkg) => [pkg.name, pkg]))
    expect([...explained.keys()]).toEqual(LOCK.map(({ name }) => name))
    expect(explained.get('nvidia-cufft-cu12')).toMatchObject({
      layer: 1,
      bytes: 200e6,
      costOfChange: 590e6,
      ageDays: 200,
    })
    expect(explained.get('nvidia-cufft-cu12')?.why).toEqual([
      'fixed by the input layers: nvidia-*',
      'its wheel has 200.0 MB',
      'its wheel was 200 days old, and it needs 0 of the others: about 2 % of next lock changes touch such packages',
      'also of CUDA toolkit and in the same layer: nvidia-cublas-cu12',
    ])
  })

  test('is honest about what nobody told', () => {
    const [, , six] = explainPackages(planLayers(LOCK, BOUNDS))
    expect(six).toMatchObject({ name: 'six', bytes: undefined, ageDays: undefined, changes: { seen: 0, of: 0 } })
    expect(six?.why).toContain('its size is not known and was estimated by its name')
    expect(six?.why).toContain('the index does not tell how old its wheel is')
  })

  test('tells how many remembered changes touched it', () => {
    let plan = planLayers(LOCK, BOUNDS)
    for (const version of ['4.51', '4.52']) {
      const lock = [...LOCK.slice(0, 3), lockedPackage('transformers', version, 10e6, 0)]
      plan = planLayers(lock, { ...BOUNDS, previous: decodePlan(encodePlan(plan)) })
    }
    const transformers = explainPackages(plan).find(({ name }) => name === 'transformers')
    expect(transformers?.changes).toEqual({ seen: 2, of: 2 })
    expect(transformers?.why).toContain('2 of the last 2 lock changes touched it')
  })
})
