import { describe, expect, test } from '@jest/globals'
import type { Libc } from '../../src/base/libc.ts'
import { bestWheel, parseWheelName, wheelRank } from '../../src/python/wheel-tags.ts'

const AMD64 = { pythonVersion: '3.12', platform: 'linux/amd64' }
const ARM64 = { pythonVersion: '3.12.4', platform: 'linux/arm64' }

function rank(fileName: string, target = AMD64, libc: Libc = 36): number | undefined {
  const name = parseWheelName(fileName)
  return name === undefined ? undefined : wheelRank(name, target, libc)
}

describe('parseWheelName', () => {
  test('takes a name apart', () => {
    expect(parseWheelName('a_b-1.0-2x-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl')).toEqual({
      name: 'a_b',
      version: '1.0',
      build: 2,
      pythonTags: ['cp312'],
      abiTags: ['cp312'],
      platformTags: ['manylinux2014_x86_64', 'manylinux_2_17_x86_64'],
    })
  })

  test.each(['a-1.0.tar.gz', 'a-1.0-py3-none.whl', 'a-1.0-x-py3-none-any.whl', '-1.0-py3-none-any.whl'])(
    '%s is no wheel',
    (name) => {
      expect(parseWheelName(name)).toBeUndefined()
    },
  )
})

describe('wheelRank', () => {
  test('prefers own ABI, then stable ABI from new to old, then pure Python', () => {
    const inOrder = [
      'a-1-cp312-cp312-manylinux_2_28_x86_64.whl',
      'a-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
      'a-1-cp312-cp312-manylinux1_x86_64.whl',
      'a-1-cp312-cp312-linux_x86_64.whl',
      'a-1-cp312-abi3-manylinux_2_28_x86_64.whl',
      'a-1-cp312-none-manylinux_2_28_x86_64.whl',
      'a-1-cp311-abi3-manylinux_2_28_x86_64.whl',
      'a-1-cp38-abi3-manylinux_2_28_x86_64.whl',
      'a-1-py3-none-manylinux_2_28_x86_64.whl',
      'a-1-cp312-none-any.whl',
      'a-1-py312-none-any.whl',
      'a-1-py3-none-any.whl',
      'a-1-py36-none-any.whl',
    ]
    const ranks = inOrder.map((name) => rank(name) ?? Number.NaN)
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b))
    expect(new Set(ranks).size).toBe(inOrder.length)
  })

  test.each([
    ['another Python', 'a-1-cp311-cp311-manylinux_2_17_x86_64.whl'],
    ['a newer stable ABI', 'a-1-cp313-abi3-manylinux_2_17_x86_64.whl'],
    ['the free-threaded ABI', 'a-1-cp312-cp312t-manylinux_2_17_x86_64.whl'],
    ['a newer glibc', 'a-1-cp312-cp312-manylinux_2_39_x86_64.whl'],
    ['musl', 'a-1-cp312-cp312-musllinux_1_2_x86_64.whl'],
    ['another machine', 'a-1-cp312-cp312-manylinux_2_17_aarch64.whl'],
    ['another system', 'a-1-cp312-cp312-win_amd64.whl'],
    ['a newer pure Python', 'a-1-py313-none-any.whl'],
    ['Python 2', 'a-1-py2-none-any.whl'],
    ['a 32-bit machine', 'a-1-py3-none-manylinux_2_17_i686.whl'],
  ])('refuses %s', (_, fileName) => {
    expect(rank(fileName)).toBeUndefined()
  })

  test.each([
    ['manylinux_2_34_x86_64', 34, 33],
    ['manylinux_2_28_x86_64', 28, 27],
    ['manylinux2014_x86_64', 17, 16],
  ])('%s wants glibc 2.%i', (tag, wanted, older) => {
    const name = `a-1-cp312-cp312-${tag}.whl`
    expect([rank(name, AMD64, wanted), rank(name, AMD64, older)]).toEqual([expect.any(Number), undefined])
  })

  test('on musl takes wheels for it, the newest first, and none for glibc', () => {
    const ranks = ['musllinux_1_2', 'musllinux_1_1', 'linux'].map((tag) =>
      rank(`a-1-cp312-cp312-${tag}_x86_64.whl`, AMD64, 'musl'),
    )
    expect(ranks).toEqual(ranks.filter((one) => one !== undefined).toSorted((a, b) => a - b))
    expect(rank('a-1-py3-none-any.whl', AMD64, 'musl')).toBeDefined()
    const others = ['musllinux_1_3_x86_64', 'musllinux_1_2_aarch64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64']
    expect(others.map((tag) => rank(`a-1-cp312-cp312-${tag}.whl`, AMD64, 'musl'))).toEqual(others.map(() => undefined))
  })

  test('takes the wheels of the platform that it plans for, not those of this machine', () => {
    expect(rank('a-1-cp312-cp312-manylinux_2_17_aarch64.whl', ARM64)).toBeDefined()
    expect(rank('a-1-cp312-cp312-manylinux_2_17_x86_64.whl', ARM64)).toBeUndefined()
    expect(rank('a-1-py2.py3-none-any.whl', ARM64)).toBeDefined()
  })
})

describe('bestWheel', () => {
  test('among equals the higher build number wins', () => {
    const wheels = ['a-1-py3-none-any.whl', 'a-1-10-py3-none-any.whl', 'a-1-9-py3-none-any.whl'].map((fileName) => ({
      fileName,
    }))
    expect(bestWheel(wheels, AMD64, 36)).toEqual({ fileName: 'a-1-10-py3-none-any.whl' })
  })
})
