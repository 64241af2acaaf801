import { describe, expect, test } from '@jest/globals'
import { defineTask, type TaskDefinition } from '../../src/task-cache/define-task.ts'
import { versionParts } from '../../src/task-cache/key-parts.ts'
import { taskKey } from '../../src/task-cache/task-key.ts'
import type { PolicyChoice } from '../../src/task-cache/task-policy.ts'

function mistakes(given: Partial<TaskDefinition>): string {
  try {
    defineTask({ name: 'build', run: 'make', ...given })
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
}

describe('a task is checked', () => {
  test.each<[Partial<TaskDefinition>, RegExp]>([
    [{ name: ' ' }, /^a task can't be run: name is empty$/],
    [{ run: ' ' }, /run is empty/],
    [{ run: [] }, /run is empty/],
    [{ shell: 'fish' }, /shell: "fish" is no shell/],
    [{ inputs: ['/etc/passwd'] }, /inputs: "\/etc\/passwd" is absolute/],
    [{ inputs: ['env:'] }, /inputs: nothing follows in "env:"/],
    [{ outputs: { files: ['../dist'] } }, /outputs: "..\/dist" leaves the workspace/],
    [{ outputs: { files: ['./'] } }, /outputs: ".\/" is the whole workspace/],
    [{ outputs: { values: ['a b'] } }, /outputs: "a b" is no name of a value/],
    [{ code: ['../x'] }, /code: "..\/x" leaves the workspace/],
    [{ workingDirectory: '..' }, /working-directory: ".." leaves the workspace/],
    [{ policies: ['magic'] }, /policies: "magic" is not one of command, code, function/],
    [{ policies: [] }, /policies is empty and no version is given/],
    [{ cache: 'override' }, /cache: override needs a version/],
    [{ version: '' }, /version is empty/],
    [{ maxAge: 0 }, /max-age: 0 is not above 0/],
    [{ maxAge: Number.NaN }, /max-age: NaN is not above 0/],
    [{ maxOutputSize: -1 }, /max-output-size: -1 is not above 0/],
  ])('%j', (given, message) => {
    expect(mistakes(given)).toMatch(message)
  })

  test('and all its mistakes are told at once', () => {
    expect(mistakes({ inputs: ['/a', 'env:'], outputs: { files: ['..'] }, cache: 'override' }).split('; ').length).toBe(
      4,
    )
  })

  test.each<Partial<TaskDefinition>>([
    {},
    { policies: [], version: '1' },
    { cache: 'override', version: '1' },
    { cache: 'override', policies: ['code'] },
    { cache: 'disable', policies: [] },
    { run: ['make', 'all'], shell: 'fish' },
    { inputs: ['!docs/**', 'src/[id].ts'] },
  ])('and %j is none', (given) => {
    expect(mistakes(given)).toBe('')
  })
})

describe('a version', () => {
  const params = { name: 't', run: 'make', shell: 'bash', code: new Map([['a.py', '1']]), source: undefined }
  const own = (answer: string, name = 'own'): PolicyChoice => ({ name, getVersion: () => answer })

  async function keyOf(task: Partial<TaskDefinition>, other: Partial<typeof params> = {}): Promise<string> {
    const spec = defineTask({ name: 't', run: 'make', ...task })
    return taskKey(spec, await versionParts(spec, { ...params, ...other }))
  }

  test.each<[string, Partial<TaskDefinition>, Partial<TaskDefinition>]>([
    ['policies that answer otherwise', { policies: [own('1')] }, { policies: [own('2')] }],
    ['policies of another name', { policies: [own('1', 'a')] }, { policies: [own('1', 'b')] }],
    ['two policies and one', { policies: [own('1', 'a'), own('2', 'b')] }, { policies: [own('12', 'a')] }],
    [
      'answers that are exchanged',
      { policies: [own('1', 'a'), own('2', 'b')] },
      { policies: [own('2', 'a'), own('1', 'b')] },
    ],
    ['a given version', { version: '1' }, {}],
    ['a version and a policy of one text', { cache: 'override', version: '1' }, { policies: [own('1', 'version')] }],
    ['modes', { cache: 'override', version: '1' }, { version: '1' }],
  ])('tells %s apart', async (_, one, other) => {
    expect(await keyOf(one)).not.toBe(await keyOf(other))
  })

  test('hears the salt and what the policies may look at', async () => {
    const seen: unknown[] = []
    await keyOf({ salt: 's', policies: [{ name: 'p', getVersion: (question) => String(seen.push(question)) }] })
    expect(seen).toEqual([{ salt: 's', params }])
  })

  test('that is given does not change with command and code', async () => {
    const task: Partial<TaskDefinition> = { cache: 'override', version: '1' }
    expect(await keyOf(task, { run: 'other', code: new Map() })).toBe(await keyOf(task))
  })

  test('of its own changes with command, shell and code', async () => {
    const keys = [{}, { run: 'other' }, { shell: 'sh' }, { code: new Map([['a.py', '2']]) }, { code: new Map() }]
    expect(new Set(await Promise.all(keys.map((other) => keyOf({}, other)))).size).toBe(5)
  })
})
