import { describe, expect, test } from '@jest/globals'
import { logicalLines } from '../../src/python/logical-lines.ts'

describe('logicalLines', () => {
  test.each([
    ['comments and empty lines go', '# head\n\na # tail\n', [{ line: 3, text: 'a' }]],
    [
      'a hash sign inside a URL stays',
      'a @ https://x.example/a#egg=a\n',
      [{ line: 1, text: 'a @ https://x.example/a#egg=a' }],
    ],
    [
      'a backslash joins lines',
      'a \\\n  --hash=x \\\n  --hash=y\nb',
      [
        { line: 1, text: 'a   --hash=x   --hash=y' },
        { line: 4, text: 'b' },
      ],
    ],
    [
      'a comment line ends a continuation',
      'a \\\n# note\nb\n',
      [
        { line: 1, text: 'a' },
        { line: 3, text: 'b' },
      ],
    ],
    ['a comment that ends in a backslash joins nothing', '# note \\\nb\n', [{ line: 2, text: 'b' }]],
    ['a backslash at the end of the file is dropped', 'a\\', [{ line: 1, text: 'a' }]],
    [
      'a file from Windows reads the same',
      '\uFEFFa\r\nb\r\n',
      [
        { line: 1, text: 'a' },
        { line: 2, text: 'b' },
      ],
    ],
  ])('%s', (_, text, expected) => {
    expect(logicalLines(text)).toEqual(expected)
  })
})
