import { describe, expect, test } from '@jest/globals'
import { mergeLocks } from '../../src/python/merge-locks.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'

function locked(name: string, version: string, hashes: readonly string[], size = 1): ResolvedPackage {
  return { name, version, wheel: { fileName: `${name}.whl`, size, uploadedAt: 0 }, hashes, dependencies: [] }
}

const [amd64, arm64] = ['linux/amd64', 'linux/arm64']

describe('locks of several platforms', () => {
  test('become one list with the wheels of all, and the larger of their sizes', () => {
    const merged = mergeLocks([
      { platform: amd64, packages: [locked('numpy', '2.4', ['a', 'pure'], 5)] },
      { platform: arm64, packages: [{ ...locked('numpy', '2.4', ['b', 'pure'], 7), dependencies: ['six'] }] },
    ])
    expect(merged).toEqual([{ ...locked('numpy', '2.4', ['a', 'pure', 'b'], 7), dependencies: ['six'] }])
  })

  test('say which platforms take a package, where not all do', () => {
    const merged = mergeLocks([
      { platform: amd64, packages: [locked('numpy', '2.4', ['a']), locked('nvidia-cublas', '12', ['n'])] },
      { platform: arm64, packages: [locked('numpy', '2.4', ['b'])] },
    ])
    expect(merged).toEqual([
      locked('numpy', '2.4', ['a', 'b']),
      { ...locked('nvidia-cublas', '12', ['n']), platforms: [amd64] },
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
