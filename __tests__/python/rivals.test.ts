import { expect, test } from '@jest/globals'
import { rivals } from '../../src/python/rivals.ts'

const UNTOLD = { files: [], isComplete: false }

test.each([
  [
    ['numpy', 'opencv-python-headless', 'opencv-python'],
    ['opencv-python', 'opencv-python-headless'],
  ],
  [
    ['pyjwt', 'jwt'],
    ['jwt', 'pyjwt'],
  ],
  [
    ['nvidia-cublas-cu12', 'nvidia-cublas-cu11'],
    ['nvidia-cublas-cu11', 'nvidia-cublas-cu12'],
  ],
  [
    ['cupy-cuda12x', 'cupy-cuda11x'],
    ['cupy-cuda11x', 'cupy-cuda12x'],
  ],
])('%j are known to bring the same files', (names, expected) => {
  expect(rivals(names, UNTOLD)?.packages).toEqual(expected)
})

test.each([[['pyjwt', 'opencv-python']], [['nvidia-cublas-cu12', 'nvidia-cudnn-cu12']], [['opencv-python']], [[]]])(
  '%j do not',
  (names) => {
    expect(rivals(names, UNTOLD)).toBeUndefined()
  },
)

test('what the wheels themselves tell counts, where all of them did', () => {
  const path = 'lib/tests/conftest.py'
  const told = { files: [{ packages: ['a', 'b'] as const, path }], isComplete: true }
  expect(rivals(['a', 'b', 'c'], told)).toEqual({ packages: ['a', 'b'], what: path })
  expect(rivals(['a', 'c'], told)).toBeUndefined()
  expect(rivals(['jwt', 'pyjwt'], told)).toBeUndefined()
})

test('uv installs side by side, so that there is no order to keep', () => {
  expect(rivals(['jwt', 'pyjwt'], undefined)).toBeUndefined()
})
