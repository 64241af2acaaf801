import { expect, test } from '@jest/globals'
import { rivals } from '../../src/python/rivals.ts'

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
])('%j bring the same files', (names, expected) => {
  expect(rivals(names)).toEqual(expected)
})

test.each([[['pyjwt', 'opencv-python']], [['nvidia-cublas-cu12', 'nvidia-cudnn-cu12']], [['opencv-python']], [[]]])(
  '%j do not',
  (names) => {
    expect(rivals(names)).toBeUndefined()
  },
)
