import { expect, test } from '@jest/globals'
import { meetsConstraint } from '../../src/python/poetry-version.ts'

test.each([
  ['1.2.3', '^1.2', true],
  ['2.0.0', '^1.2', false],
  ['2.0.0rc1', '^1.2', false],
  ['0.3.0', '^0.2.3', false],
  ['0.2.9', '^0.2.3', true],
  ['0.0.4', '^0.0.3', false],
  ['0.9', '^0', true],
  ['1.2.9', '~1.2.3', true],
  ['1.3.0', '~1.2', false],
  ['1.9', '~1', true],
  ['1.4.5', '~=1.4', true],
  ['1.2.3', '1.2.3', true],
  ['1.2.4', '1.2.3', false],
  ['1.2.4', '1.2.*', true],
  ['1.2.4', '>=1.2,<1.5.7 || >1.5.7', true],
  ['1.5.7', '>=1.2,<1.5.7 || >1.5.7', false],
  ['3.12.4', '!=3.0.*, !=3.1.*, >=2.7', true],
  ['3.9.1', '>= 3.10', false],
  ['7', '*', true],
  ['7', 'whatever', undefined],
])('%s meets %s: %s', (version, constraint, expected) => {
  expect(meetsConstraint(version, constraint)).toBe(expected)
})
