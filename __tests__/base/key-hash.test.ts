import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type KeyValue, keyHash } from '../../src/base/key-hash.ts'

describe('values that look alike have different keys', () => {
  const pairs: readonly [string, KeyValue, KeyValue][] = [
    ['neighbours that run together', ['ab', 'c'], ['a', 'bc']],
    ['a list and its items joined', ['a', 'b'], ['ab']],
    ['a text and a number', '1', 1],
    ['true and the word', true, 'true'],
    ['nothing and an empty text', null, ''],
    ['an empty list and an empty record', [], {}],
    ['a pair in a record and a text with a separator', { A: '1', B: '2' }, { A: '1 B=2' }],
    ['a name and a value that change places', { a: 'b' }, { b: 'a' }],
    ['bytes and a text', new Uint8Array([97]), 'a'],
    ['nesting', [['a'], 'b'], ['a', ['b']]],
    ['order in a list', ['a', 'b'], ['b', 'a']],
  ]
  test.each(pairs)('%s', (_, left, right) => {
    expect(keyHash(left)).not.toBe(keyHash(right))
  })
})

test('the order of fields and undefined fields leave the key as it is', () => {
  expect(keyHash({ a: 1, b: 2, c: undefined })).toBe(keyHash({ b: 2, a: 1 }))
})

test('any two different structures have different keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
      const same = JSON.stringify(sortFields(left)) === JSON.stringify(sortFields(right))
      expect(keyHash(toKey(left)) === keyHash(toKey(right))).toBe(same)
    }),
    { numRuns: 500 },
  )
})

function toKey(value: unknown): KeyValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Object.is(value, -0) ? 0 : value
  if (Array.isArray(value)) return value.map(toKey)
  return Object.fromEntries(Object.entries(value ?? {}).map(([name, field]) => [name, toKey(field)]))
}

function sortFields(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortFields)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => ({ name, field: sortFields(field) }))
  return { fields }
}
