import { describe, expect, test } from '@jest/globals'
import { estimatedSize } from '../../src/layers/heavy-packages.ts'
import { lockedPackage } from '../support/locked-package.ts'

describe('estimatedSize', () => {
  test.each([
    ['the size that the index tells', lockedPackage('torch', '2.7.0', 5), undefined, 5],
    ['what is known of the name', lockedPackage('torch', '2.7.0'), undefined, 850e6],
    ['less for torch without CUDA', lockedPackage('torch', '2.7.0+cpu'), undefined, 190e6],
    ['a light package when nothing is known', lockedPackage('unheard-of'), undefined, 1e6],
    ['a heavy one when the user says so', lockedPackage('unheard-of'), ['unheard-of'], 100e6],
    ['no less than known when the user says heavy', lockedPackage('vllm'), ['vllm'], 400e6],
  ])('takes %s', (_, pkg, heavy, expected) => {
    expect(estimatedSize(pkg, heavy)).toBe(expected)
  })
})
