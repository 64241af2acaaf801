import { expect, test } from '@jest/globals'
import { goFlag } from '../../src/base/go-flag.ts'

test.each([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false] as const),
  ...['', 'tRUE', 'yes', 'on', ' true', '10'].map((text) => [text, undefined] as const),
])('%j is %p', (text, expected) => {
  expect(goFlag(text)).toBe(expected)
})

test('a variable that is not set says nothing', () => {
  expect(goFlag(undefined)).toBeUndefined()
})
