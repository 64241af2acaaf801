import { describe, expect, test } from '@jest/globals'
import { answersPrefix, checkStoreKey, storeKey, withValue } from '../../src/stores/store-key.ts'

describe('a store key', () => {
  test('has the format version, the kind and a digest for each part', () => {
    expect(storeKey('lease', '', { a: 1 }, 'b')).toMatch(/^image-cache-v1-lease-[0-9a-f]{64}-[0-9a-f]{64}$/)
  })

  test('made of the first parts alone is a prefix of the whole', () => {
    expect(answersPrefix(storeKey('image', 's', 'one', 'two'), storeKey('image', 's', 'one'))).toBe(true)
  })

  test.each([
    ['kind', storeKey('images', 's', 'one')],
    ['salt', storeKey('image', 't', 'one')],
    ['first part', storeKey('image', 's', 'uno')],
  ])('changes with its %s', (_, other) => {
    expect(other.slice(-64)).not.toBe(storeKey('image', 's', 'one').slice(-64))
  })

  test('takes a readable value at its end', () => {
    expect(withValue('image-cache-v1-image-0', 'a.b_c-9')).toBe('image-cache-v1-image-0-a.b_c-9')
  })

  test.each([
    ['no parts', () => storeKey('image', '')],
    ['a kind with a capital letter', () => storeKey('Image', '', 'x')],
    ['eight parts', () => storeKey('image', '', ...'abcdefgh')],
    ['a value with a colon', () => withValue('k', 'sha256:0')],
    ['a value with a comma', () => withValue('k', 'a,b')],
    ['a value that is too long', () => withValue('k', 'x'.repeat(511))],
  ])('cannot be made with %s', (_, make) => {
    expect(make).toThrow(RangeError)
  })
})

test.each([
  ['k', undefined],
  ['k'.repeat(512), undefined],
  ['', 'the key is empty'],
  ['k'.repeat(513), 'the key has 513 characters, 512 are allowed'],
  ['a,b', 'the key contains ","'],
  ['A', 'the key contains "A"'],
  ['a\n', 'the key contains "\\n"'],
])('checking the key %j says %j', (key, problem) => {
  expect(checkStoreKey(key)).toBe(problem)
})

test.each([
  ['a-1', 'a-1', true],
  ['a-1-x', 'a-1', true],
  ['a-1-x', 'a-1-', true],
  ['a-12', 'a-1', false],
  ['a-1', 'a-1-', false],
  ['b-1', 'a-1', false],
])('the key %s answers the prefix %s: %s', (key, prefix, answer) => {
  expect(answersPrefix(key, prefix)).toBe(answer)
})
