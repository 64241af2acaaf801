import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { overlapOf, unionOf } from '../../src/buildx/progress-intervals.ts'

const interval = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }))
  .map(([start, length]) => ({ start, end: start + length }))
const intervals = fc.array(interval, { maxLength: 8 })

function covers(list: readonly { start: number; end: number }[], moment: number): boolean {
  return list.some(({ start, end }) => start <= moment && moment < end)
}

describe('intervals', () => {
  test('open ones count up to now', () => {
    expect(
      unionOf(
        [
          { start: 3, end: undefined },
          { start: 1, end: 4 },
        ],
        9,
      ),
    ).toEqual([{ start: 1, end: 9 }])
  })

  test('the overlap of two unions is the time that both cover, counted by hand', () => {
    fc.assert(
      fc.property(intervals, intervals, (a, b) => {
        const counted = Array.from({ length: 90 }, (_, at) => at).filter((at) => covers(a, at) && covers(b, at)).length
        expect(overlapOf(unionOf(a, 0), unionOf(b, 0))).toBe(counted)
      }),
    )
  })
})
