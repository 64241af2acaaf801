import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  decodeHistory,
  encodeHistory,
  linkSpeed,
  type PublishRecord,
  secondsPerByte,
  withRecord,
} from '../../src/buildx/publish-history.ts'

const record = (bytes: number, push: number): PublishRecord => ({
  mode: 'parallel',
  push,
  export: 1,
  seconds: push,
  bytes,
})

describe('what publishing took', () => {
  test('comes back as it was kept, and anything else as nothing', () => {
    const positive = fc.double({ min: 0, max: 1e12, noNaN: true })
    const one = fc.record({ mode: fc.string(), push: positive, export: positive, seconds: positive, bytes: positive })
    fc.assert(
      fc.property(fc.array(one), fc.array(fc.string()), (history, layers) => {
        const back = decodeHistory(encodeHistory(history, layers))
        expect(back.layers).toEqual(layers)
        expect(back.history).toEqual(JSON.parse(JSON.stringify(history)))
      }),
    )
    for (const text of [
      '',
      '{',
      '[]',
      '{"version":2,"history":[]}',
      '{"version":1,"history":[{"mode":1}],"layers":{}}',
    ])
      expect(decodeHistory(text)).toEqual({ history: [], layers: [] })
  })

  test('is kept of the last twelve runs', () => {
    const all = Array.from({ length: 20 }, (_, at) => at).reduce<readonly PublishRecord[]>(
      (history, at) => withRecord(history, record(at, 1)),
      [],
    )
    expect(all.map(({ bytes }) => bytes)).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  })

  test('tells the speed of a link by the median of runs that sent enough', () => {
    expect(linkSpeed([])).toBeUndefined()
    expect(linkSpeed([record(1000, 1), record(0, 5)])).toBeUndefined()
    expect(linkSpeed([record(100e6, 1), record(100e6, 10), record(100e6, 2)])).toBe(50e6)
    expect(secondsPerByte([record(100e6, 2)], 'parallel')).toBe(2e-8)
    expect(secondsPerByte([record(100e6, 2)], 'image-first')).toBeUndefined()
  })
})
