import { describe, expect, test } from '@jest/globals'
import { mergeLocks } from '../../src/python/merge-locks.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'

function locked(name: string, version: string, hashes: readonly string[], size = 1): ResolvedPackage {
  return { name, version, wheel: { fileName: `${name}.whl`, size, uploadedAt: 0 }, hashes, dependencies: [] }
}

const [amd64, arm64] = ['linux/amd64', 'linux/arm64'] as const

describe('locks of several platforms', () => {
  test('become one list with the wheels of all, and the larger of their sizes', () => {
    const [own, other] = [locked('numpy', '2.4', ['a', 'pure'], 5), locked('numpy', '2.4', ['b', 'pure'], 7)]
    const merged = mergeLocks([
      { platform: amd64, packages: [own] },
      { platform: arm64, packages: [{ ...other, dependencies: ['six'] }] },
    ])
    expect(merged).toMatchObject([{ ...locked('numpy', '2.4', ['a', 'pure', 'b'], 7), dependencies: ['six'] }])
  })

  test('say what each platform takes', () => {
    const [numpy, cublas, other] = [
      locked('numpy', '2.4', ['a']),
      locked('nvidia-cublas', '12', ['n']),
      locked('numpy', '2.4', ['b']),
    ]
    const merged = mergeLocks([
      { platform: amd64, packages: [numpy, cublas] },
      { platform: arm64, packages: [other] },
    ])
    if (typeof merged === 'string') throw new Error(merged)
    expect(merged.map(({ onPlatforms }) => onPlatforms)).toEqual([
      new Map([
        [amd64, numpy],
        [arm64, other],
      ]),
      new Map([[amd64, cublas]]),
    ])
  })

  test('are not one list where a package has several versions', () => {
    const merged = mergeLocks([
      { platform: amd64, packages: [locked('torch', '2.9+cu128', ['a'])] },
      { platform: arm64, packages: [locked('torch', '2.9', ['b'])] },
    ])
    expect(merged).toBe('torch is 2.9+cu128 on linux/amd64, and 2.9 on linux/arm64')
  })
})
