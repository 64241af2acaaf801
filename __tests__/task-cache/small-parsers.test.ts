import { describe, expect, test } from '@jest/globals'
import { parseCacheMode } from '../../src/task-cache/cache-mode.ts'
import { shellCommand } from '../../src/task-cache/command-shell.ts'
import { KeptLog } from '../../src/task-cache/kept-log.ts'
import { parseStepValues } from '../../src/task-cache/step-values.ts'
import { formatTaskInput, parseTaskInput } from '../../src/task-cache/task-input.ts'

test.each([
  ['src/**', { kind: 'glob', pattern: 'src/**' }],
  ['./env:x', { kind: 'glob', pattern: './env:x' }],
  ['!**/*.md', { kind: 'glob', pattern: '!**/*.md' }],
  ['env:CUDA', { kind: 'env', name: 'CUDA' }],
  ['env: PIP_*', { kind: 'env', name: 'PIP_*' }],
  ['cmd: node --version', { kind: 'cmd', command: 'node --version' }],
  ['value:up=sha256:1', { kind: 'value', name: 'up', text: 'sha256:1' }],
  ['value:some text', { kind: 'value', name: '', text: 'some text' }],
])('the input %j is read', (text, expected) => {
  const input = parseTaskInput(text)
  expect(input).toEqual(expected)
  if (typeof input !== 'string') expect(parseTaskInput(formatTaskInput(input))).toEqual(expected)
})

test.each(['', '  ', 'env:', 'env:1A', 'env:A B', 'cmd:', 'value: '])(
  'the input %j is refused with a sentence',
  (text) => {
    expect(typeof parseTaskInput(text)).toBe('string')
  },
)

test.each([
  ['Enabled', 'auto'],
  ['on', 'auto'],
  [' OFF ', 'disable'],
  ['none', 'disable'],
  ['override', 'override'],
  ['maybe', undefined],
  ['constructor', undefined],
])('the cache mode %j is %j', (text, mode) => {
  expect(parseCacheMode(text)).toBe(mode)
})

test.each([
  ['bash', ['bash', '--noprofile', '--norc', '-eo', 'pipefail', '{0}']],
  ['perl {0}', ['perl', '{0}']],
  ['perl', undefined],
  ['', undefined],
  ['toString', undefined],
])('the shell %j is %j', (shell, words) => {
  expect(shellCommand(shell)?.words).toEqual(words)
})

describe('values of a step', () => {
  test.each<[string, Readonly<Record<string, string>>, number]>([
    ['a=1\nb=2=3\n', { a: '1', b: '2=3' }, 0],
    ['a=\n', { a: '' }, 0],
    ['a<<EOF\nx\n\ny=z\nEOF\nb=1', { a: 'x\n\ny=z', b: '1' }, 0],
    ['a<<EOF\nEOF\n', { a: '' }, 0],
    ['a=x<<y\n', { a: 'x<<y' }, 0],
    ['a=1\r\nb=2\r\n', { a: '1', b: '2' }, 0],
    ['a=1\na=2\n', { a: '2' }, 0],
    ['a<<EOF\nnever closed', {}, 1],
    ['nonsense\n', {}, 1],
  ])('%j', (text, values, unreadable) => {
    const parsed = parseStepValues(text)
    expect(Object.fromEntries(parsed.values)).toEqual(values)
    expect(parsed.unreadable.length).toBe(unreadable)
  })
})

describe('a kept log', () => {
  test('masks what is found to be a secret only later', () => {
    const log = new KeptLog(['first-secret'])
    for (const line of ['first-secret other-secret', '::add-mask::other-secret', 'plain']) log.add(line)
    expect(log.lines()).toEqual(['*** ***', 'plain'])
  })

  test('keeps the end of what is long, and says so', () => {
    const log = new KeptLog([])
    for (let n = 0; n < 3000; n += 1) log.add(`${n} ${'x'.repeat(1000)}`)
    const lines = log.lines()
    expect(lines[0]).toMatch(/^\(\d+ earlier lines were not kept\)$/)
    expect(lines.at(-1)).toMatch(/^2999 /)
    expect(lines.join('\n').length).toBeLessThan(1_100_000)
  })
})
