import { describe, expect, test } from '@jest/globals'
import { parseDemoOptions } from '../../tools/demo/demo-options.ts'

describe('arguments of the demo', () => {
  test.each([
    [[], { project: 'sklearn', keep: false }],
    [['--torch', '--keep'], { project: 'torch', keep: true }],
  ])('%j are read', (args, expected) => {
    expect(parseDemoOptions(args)).toEqual(expected)
  })

  test('an unknown one is named and the usage shown', () => {
    expect(parseDemoOptions(['--fast'])).toEqual({ text: expect.stringMatching(/--fast[\s\S]*Usage:/), exitCode: 2 })
  })
})
