import { describe, expect, test } from '@jest/globals'
import { FAMILY_COUNT, familyOf, familyTitle } from '../../src/layers/release-families.ts'

describe('familyOf', () => {
  test.each([
    ['nvidia-cublas-cu12', 'CUDA toolkit'],
    ['nvidia-cusparse', 'CUDA toolkit'],
    ['nvidia-cusparselt-cu13', 'libraries that torch pins'],
    ['nvidia-cudnn-cu12', 'libraries that torch pins'],
    ['triton', 'torch'],
    ['botocore', 'AWS SDK'],
    ['pydantic-core', 'pydantic'],
    ['pydantic-settings', undefined],
    ['torchmetrics', undefined],
    ['numpy', undefined],
  ])('%s belongs to %s', (name, title) => {
    const family = familyOf(name)
    expect(familyTitle(family)).toBe(title)
    expect(family).toBeLessThan(FAMILY_COUNT)
  })
})
