import { describe, expect, test } from '@jest/globals'
import { formatBytes, parseBytes } from '../../src/base/bytes.ts'

describe('bytes', () => {
  test.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [154_500_000, '154.5 MB'],
    [999_950_000, '1.0 GB'],
  ])('%d are shown as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  test.each([
    ['1000', 1000],
    ['1GB', 1e9],
    ['1.5 GB', 1.5e9],
    ['500mb', 5e8],
    ['2GiB', 2 ** 31],
    ['64 kB', 64_000],
  ])('%s is read', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes)
  })

  test.each(['', 'GB', '-1GB', '1 TB', '1e9', '1,5GB', '1GB 2'])('%p is no size', (text) => {
    expect(parseBytes(text)).toBeUndefined()
  })
})
