import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { rankEndpoints } from '../../src/buildx/rank-endpoints.ts'

const THREE = ['tcp://one:1', 'tcp://two:1', 'tcp://three:1']

test('the order depends on the image alone, not on the order in which endpoints are named', () => {
  const lists = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(lists, fc.string(), (endpoints, key) => {
      const ranked = rankEndpoints(endpoints, key)
      expect([...ranked].sort()).toEqual([...endpoints].sort())
      expect(rankEndpoints([...endpoints].reverse(), key)).toEqual(ranked)
    }),
  )
})

test('an endpoint that goes takes nothing but its own images elsewhere', () => {
  const lists = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 8 })
  fc.assert(
    fc.property(lists, fc.string(), (endpoints, key) => {
      const ranked = rankEndpoints(endpoints, key)
      for (const gone of endpoints) {
        const left = endpoints.filter((endpoint) => endpoint !== gone)
        expect(rankEndpoints(left, key)).toEqual(ranked.filter((endpoint) => endpoint !== gone))
      }
    }),
  )
})

test('images spread over all endpoints', () => {
  const counts = new Map<string, number>()
  for (let n = 0; n < 3000; n += 1) {
    const [first = ''] = rankEndpoints(THREE, `registry.example/team/app-${n}`)
    counts.set(first, (counts.get(first) ?? 0) + 1)
  }
  expect(counts.size).toBe(3)
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150)
})
