import { describe, expect, test } from '@jest/globals'
import { normalizeName } from '../../src/python/package-name.ts'

describe('normalizeName', () => {
  test.each([
    ['Flask', 'flask'],
    ['ruamel.yaml', 'ruamel-yaml'],
    ['scikit_learn', 'scikit-learn'],
    ['a-._b', 'a-b'],
  ])('spells %s as %s', (name, expected) => {
    expect(normalizeName(name)).toBe(expected)
  })
})
