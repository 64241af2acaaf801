import { describe, expect, test } from '@jest/globals'
import { duration, quotedList } from '../../src/dockerfile/go-format.ts'
import { readHealthCheck } from '../../src/dockerfile/health-check.ts'

describe('the times of a health check', () => {
  const times: readonly (readonly [text: string, nanoseconds: number, shown: string])[] = [
    ['0', 0, '0s'],
    ['', 0, '0s'],
    ['1ms', 1e6, '1ms'],
    ['0.3s', 3e8, '300ms'],
    ['1.001s', 1_001_000_000, '1.001s'],
    ['90s', 90e9, '1m30s'],
    ['1h', 3600e9, '1h0m0s'],
    ['1h2m3.5s', 3_723_500_000_000, '1h2m3.5s'],
  ]
  test.each(times)('%s', (value, nanoseconds, shown) => {
    const check = readHealthCheck([{ name: 'interval', value }], 'CMD x')
    expect(check).toMatchObject({ test: ['CMD-SHELL', 'x'], interval: nanoseconds, timeout: 0 })
    expect(duration(nanoseconds)).toBe(shown)
  })

  test.each(['1', '-1s', '1us', '0.0001s', '1d', '100000000h'])('%s is not understood', (value) => {
    expect(readHealthCheck([{ name: 'timeout', value }], 'CMD x')).toContain(`--timeout=${value}`)
  })

  test('may stand there once', () => {
    const flag = { name: 'timeout', value: '1s' }
    expect(readHealthCheck([flag, flag], 'CMD x')).toContain('--timeout')
  })
})

test('a health check that is none has no times', () => {
  expect(readHealthCheck([{ name: 'interval', value: 'x' }], 'none')).toMatchObject({ test: ['NONE'], interval: 0 })
  expect(readHealthCheck([], 'NONE x')).toBe('HEALTHCHECK NONE takes no arguments')
})

test('texts are quoted as in Go', () => {
  expect(quotedList(['a "b"\\', 'ü\n\u0001'])).toBe('["a \\"b\\"\\\\" "ü\\n\\x01"]')
})
