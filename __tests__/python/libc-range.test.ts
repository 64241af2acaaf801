import { expect, test } from '@jest/globals'
import { libcRange, SOME_LIBC } from '../../src/python/libc-range.ts'

test.each([
  [36, 36, 36],
  [31, 31, 31],
  // Between two that uv knows a package counts as known only where both take the same wheel.
  [26, 17, 28],
  [29, 28, 31],
  [41, 40, 40],
  [12, 17, 17],
])('glibc 2.%i lies between 2.%i and 2.%i', (minor, atLeast, atMost) => {
  expect(libcRange(minor)).toEqual({ atLeast, atMost })
})

test('of musl there is one', () => {
  expect(libcRange('musl')).toEqual({ atLeast: 'musl', atMost: 'musl' })
})

test('of an image that tells nothing its range is all that images have', () => {
  expect(libcRange(undefined)).toBe(SOME_LIBC)
})
