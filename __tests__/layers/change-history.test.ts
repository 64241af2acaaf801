import { describe, expect, test } from '@jest/globals'
import { addChange, countBits, NO_HISTORY } from '../../src/layers/change-history.ts'

describe('addChange', () => {
  test('puts the latest change into the lowest bit', () => {
    const first = addChange(NO_HISTORY, new Set(['a']), ['a', 'b'])
    const second = addChange(first, new Set(['b']), ['a', 'b'])
    expect(second).toEqual({
      changes: 2,
      touched: new Map([
        ['a', 0b10],
        ['b', 0b01],
      ]),
    })
  })

  test('forgets packages that are gone', () => {
    const first = addChange(NO_HISTORY, new Set(['a', 'b']), ['a', 'b'])
    expect(addChange(first, new Set(['a']), ['b']).touched).toEqual(new Map([['b', 0b10]]))
  })

  test('remembers 32 changes and no more', () => {
    let history = addChange(NO_HISTORY, new Set(['old']), ['old', 'young'])
    for (let i = 0; i < 31; i++) history = addChange(history, new Set(['young']), ['old', 'young'])
    expect(history).toEqual({
      changes: 32,
      touched: new Map([
        ['old', 0x80000000],
        ['young', 0x7fffffff],
      ]),
    })
    expect(addChange(history, new Set(), ['old', 'young'])).toEqual({
      changes: 32,
      touched: new Map([['young', 0xfffffffe]]),
    })
  })
})

test.each([
  [0, 0],
  [1, 1],
  [0xffffffff, 32],
  [0x80000001, 2],
  [0x55555555, 16],
])('countBits of %d is %d', (bits, expected) => {
  expect(countBits(bits)).toBe(expected)
})
