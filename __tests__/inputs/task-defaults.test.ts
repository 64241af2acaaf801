import { describe, expect, test } from '@jest/globals'
import { ImageCacheError } from '../../src/base/errors.ts'
import { parseTaskDefaults } from '../../src/inputs/task-defaults.ts'

async function defaults(file: string, env: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  const parsed = await parseTaskDefaults(file, env)
  return Object.fromEntries([...parsed].filter(([, value]) => value.trim() !== ''))
}

async function refusal(file: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  try {
    await parseTaskDefaults(file, env)
  } catch (error) {
    if (error instanceof ImageCacheError && error.code === 'E_INPUT') return error.message
    throw error
  }
  return ''
}

describe('defaults of a workflow', () => {
  test('are none without a file and variables', async () => {
    expect(await defaults('')).toEqual({})
    expect(await defaults('# nothing yet\n')).toEqual({})
    expect(await defaults('task:\n')).toEqual({})
  })

  test('come from the file as texts, just as they stand', async () => {
    const file =
      'task:\n  salt: 2026.10\n  serialize: true\n  inputs: [.tool-versions, "env:CI"]\n  env:\n    LANG: C\n'
    expect(await defaults(file)).toEqual({
      salt: '2026.10',
      serialize: 'true',
      inputs: '.tool-versions\nenv:CI',
      env: 'LANG=C',
    })
  })

  test('come from variables above the file; lists add up', async () => {
    const env = { IMAGE_CACHE_TASK_MAX_AGE: '7d', IMAGE_CACHE_TASK_INPUTS: 'b', IMAGE_CACHE_TASK_SALT: 'two' }
    const found = await defaults('task: {salt: one, inputs: a, max-age: 1d}\n', env)
    expect(found).toEqual({ salt: 'two', inputs: 'a\nb', 'max-age': '7d' })
  })
})

describe('wrong defaults', () => {
  test.each([
    ['task: [', /^\.image-cache\.yml: .* at line 1/],
    ['task: 3', /^\.image-cache\.yml: task: is no mapping/],
    ['- a', /^\.image-cache\.yml: is no mapping/],
    ['tasks: {}', /^\.image-cache\.yml: tasks: is not known/],
    ['task: {run: make}', /^\.image-cache\.yml: task\.run: is no input that can have a default \(/],
    ['task: {cache: sometimes, max-age: x}', /task\.cache: "sometimes" .*; \.image-cache\.yml: task\.max-age: "x" /],
    ['task: {inputs: [[a]]}', /task\.inputs: holds lists or mappings of its own/],
    ['task: {salt: a, salt: b}', /line 1/],
  ])('%s', async (file, message) => {
    expect(await refusal(file)).toMatch(message)
  })

  test('in a variable are told by its name, beside those of the file', async () => {
    const told = await refusal('task: {shell: [[]]}', { IMAGE_CACHE_TASK_MAX_AGE: 'soon' })
    expect(told).toMatch(/task\.shell: .*; IMAGE_CACHE_TASK_MAX_AGE: "soon" is not a duration/)
  })
})
