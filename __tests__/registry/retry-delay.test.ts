import { describe, expect, test } from '@jest/globals'
import { MAX_TRIES, retryDelay, type TryEnd } from '../../src/registry/retry-delay.ts'

const status = (code: number, retryAfter: string | null = null): TryEnd => ({
  kind: 'status',
  status: code,
  retryAfter,
})
const broken = (code: string): TryEnd => ({
  kind: 'broken',
  error: new TypeError('fetch failed', { cause: Object.assign(new Error('low level'), { code }) }),
})
const NOW = Date.parse('2026-01-01T00:00:00Z')

describe('the wait before the next try', () => {
  test.each<[string, TryEnd, number | undefined]>([
    ['a server error waits the first delay', status(500), 250],
    ['an unavailable service waits', status(503), 250],
    ['too many requests waits', status(429), 250],
    ['Retry-After in seconds is followed', status(429, '2'), 2000],
    ['Retry-After 0 is followed at once', status(503, '0'), 0],
    ['a Retry-After date is followed', status(429, 'Thu, 01 Jan 2026 00:00:05 GMT'), 5000],
    ['a date in the past waits nothing', status(429, 'Wed, 31 Dec 2025 00:00:05 GMT'), 0],
    ['a long Retry-After is cut to 30 s', status(429, '3600'), 30_000],
    ['a Retry-After that is nonsense is passed over', status(429, 'soon'), 250],
    ['a reset connection waits', broken('ECONNRESET'), 250],
    ['a broken pipe waits', broken('EPIPE'), 250],
    ['a refused connection is not tried again', broken('ECONNREFUSED'), undefined],
    ['an untrusted certificate is not tried again', broken('SELF_SIGNED_CERT_IN_CHAIN'), undefined],
    ['success is not tried again', status(200), undefined],
    ['a missing thing is not tried again', status(404), undefined],
    ['a refusal is not tried again', status(403), undefined],
    ['an unsupported method is not tried again', status(501), undefined],
  ])('%s', (_, end, expected) => {
    expect(retryDelay(1, end, { now: NOW, random: 1 })).toBe(expected)
  })

  test('doubles, spread over its upper half', () => {
    expect([1, 2, 3].map((tryNumber) => retryDelay(tryNumber, status(500), { now: NOW, random: 1 }))).toEqual([
      250, 500, 1000,
    ])
    expect(retryDelay(3, status(500), { now: NOW, random: 0 })).toBe(500)
  })

  test('ends with the last try', () => {
    expect(retryDelay(MAX_TRIES, status(500), { now: NOW, random: 1 })).toBeUndefined()
  })
})
