import { describe, expect, test } from '@jest/globals'
import { ExpansionError, expandWord, expandWords, type LexOptions } from '../../src/dockerfile/word-expansion.ts'

const variables = new Map([
  ['V', '3.12'],
  ['EMPTY', ''],
  ['PATH', '/a/b:/c'],
  ['TWO', 'one two'],
])
const options: LexOptions = { escapeChar: '\\', lookup: (name) => variables.get(name) }

describe('filling in variables', () => {
  const cases: readonly (readonly [source: string, result: string])[] = [
    ['python:$V-slim', 'python:3.12-slim'],
    [`python:\${V}_x`, 'python:3.12_x'],
    ['$NONE/x', '/x'],
    [`\${NONE:-3.11}`, '3.11'],
    [`\${EMPTY:-x}\${EMPTY-x}`, 'x'],
    [`\${V:+yes}\${EMPTY:+no}\${EMPTY+set}`, 'yesset'],
    [`\${NONE:-\${V}}`, '3.12'],
    [`\${V#*.}`, '12'],
    [`\${PATH##*/}`, 'c'],
    [`\${PATH%%/*}\${PATH%:*}`, '/a/b'],
    [`\${PATH//\\//-}`, '-a-b:-c'],
    ["'$V'", '$V'],
    ['"$V"', '3.12'],
    ['\\$V', '$V'],
    ['"a\\"b"', 'a"b'],
    ['a$', 'a$'],
  ]
  test.each(cases)('%s is %s', (source, result) => {
    expect(expandWord(source, options)).toBe(result)
  })

  test.each([`\${V`, `\${}`, `\${NONE?it is needed}`, '"open', "'open", `\${V^^}`])('%s is refused', (source) => {
    expect(() => expandWord(source, options)).toThrow(ExpansionError)
  })

  test('words are split after variables are filled in, but not within quotes', () => {
    expect(expandWords('$TWO "$TWO" \'a b\'c', options)).toEqual(['one', 'two', 'one two', 'a bc'])
  })
})
