import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseTime } from '../../src/buildx/progress-time.ts'

describe('times', () => {
  test.each([
    ['1970-01-01T00:00:01Z', 1000],
    ['2026-11-21T05:02:03.950412306Z', Date.UTC(2026, 10, 21, 5, 2, 3) + 950.412],
    ['2026-11-21T05:02:03.5Z', Date.UTC(2026, 10, 21, 5, 2, 3, 500)],
    ['2026-11-21T05:02:03.950+02:00', Date.UTC(2026, 10, 21, 3, 2, 3, 950)],
  ])('%s', (text, milliseconds) => {
    expect(parseTime(text)).toBeCloseTo(milliseconds, 2)
  })

  test.each(['', '0001-01-01T00:00:00Z', 'yesterday', '2026-xx-21T05:02:03Z', '2026-11-21T05:02:03.9a0Z', '12'])(
    'no time: %j',
    (text) => {
      expect(parseTime(text)).toBeUndefined()
    },
  )

  test('agrees with the platform on whole milliseconds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), (time) => {
        expect(parseTime(new Date(time).toISOString())).toBeCloseTo(time, 3)
      }),
    )
  })
})
