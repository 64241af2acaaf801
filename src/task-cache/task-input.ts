import type { TaskInput } from './task.ts'

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*\*?$/

/**
 * Reads an input as users write it: `env:NAME`, `cmd: node --version`, `value:NAME=text`, else a pattern of files. A
 * file whose name begins with such a word is written with `./` before it.
 * @returns the input, or a sentence that says what is wrong with the text
 */
export function parseTaskInput(text: string): TaskInput | string {
  const trimmed = text.trim()
  if (trimmed === '') return 'an input is empty'
  const [, word, rest = ''] = /^(env|cmd|value):(.*)$/s.exec(trimmed) ?? []
  const given = rest.trim()
  if (word === undefined) return { kind: 'glob', pattern: trimmed }
  if (given === '') return `nothing follows in ${JSON.stringify(trimmed)}`
  if (word === 'cmd') return { kind: 'cmd', command: given }
  if (word === 'env') {
    return VARIABLE.test(given) ? { kind: 'env', name: given } : `${JSON.stringify(trimmed)} names no variable`
  }
  const [, name = '', value = given] = /^([A-Za-z0-9_.-]+)=(.*)$/s.exec(given) ?? []
  return { kind: 'value', name, text: value }
}

/** An input as users write it. */
export function formatTaskInput(input: TaskInput): string {
  switch (input.kind) {
    case 'glob':
      return input.pattern
    case 'env':
      return `env:${input.name}`
    case 'cmd':
      return `cmd:${input.command}`
    case 'value':
      return `value:${input.name === '' ? '' : `${input.name}=`}${input.text}`
  }
}
