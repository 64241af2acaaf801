import { describe, expect, test } from '@jest/globals'
import { ImageCacheError } from '../../src/base/errors.ts'
import { parseTaskFile } from '../../src/inputs/task-file.ts'

const PLACE = { place: 'tasks.yml' }

async function refusal(text: string): Promise<string> {
  try {
    await parseTaskFile(text, PLACE)
  } catch (error) {
    if (error instanceof ImageCacheError && error.code === 'E_INPUT') return error.message
    throw error
  }
  return ''
}

describe('a file of tasks', () => {
  test('is the same in JSON as in YAML', async () => {
    const tasks = { a: { run: 'x "y"', inputs: ['a/**', 'b'], version: '1.10' }, b: { run: 'y', needs: ['a'] } }
    const text = JSON.stringify({ tasks, concurrency: '3' })
    const json = await parseTaskFile(text, { place: 'tasks.json' })
    expect(json).toEqual(await parseTaskFile(text, PLACE))
    // Of a number the text counts, which only YAML keeps.
    const numbers = await parseTaskFile(text.replace('"1.10"', '1.10'), { place: 'tasks.json' })
    expect(numbers).toEqual(json)
    await expect(parseTaskFile('{"tasks":', { place: 'tasks.json' })).rejects.toThrow('tasks.json: ')
  })

  test('is read with its needs, defaults and limits', async () => {
    const text = `
concurrency: 3
store: local
defaults:
  shell: sh
  inputs: .tool-versions
tasks:
  codegen:
    run: |
      ./generate.sh
      ./check.sh
    inputs: [schema/**, "cmd: node --version"]
    outputs: src/generated
    version: 1.10
  lint:
    needs: codegen
    shell: bash
    run: lint
    env: {LEVEL: 2}
  all:
    needs: [lint, codegen, lint]
    run: "true"
`
    const file = await parseTaskFile(text, { ...PLACE, scope: 'org/app', defaults: new Map([['inputs', 'a']]) })
    expect(file).toMatchObject({ concurrency: 3, store: 'local' })
    expect(file.tasks.map(({ name, needs }) => [name, needs])).toEqual([
      ['codegen', []],
      ['lint', ['codegen']],
      ['all', ['lint', 'codegen']],
    ])
    const [codegen, lint] = file.tasks
    expect(codegen?.spec).toMatchObject({
      name: 'codegen',
      run: './generate.sh\n./check.sh',
      shell: 'sh',
      scope: 'org/app',
      version: '1.10',
      outputs: { files: ['src/generated'], values: [] },
      inputs: [
        { kind: 'glob', pattern: 'a' },
        { kind: 'glob', pattern: '.tool-versions' },
        { kind: 'glob', pattern: 'schema/**' },
        { kind: 'cmd', command: 'node --version' },
      ],
    })
    expect(lint?.spec).toMatchObject({ shell: 'bash', env: { LEVEL: '2' } })
  })

  test('may be the mapping of tasks alone, as an input of an action is', async () => {
    const file = await parseTaskFile('client:\n  run: make client\n', PLACE)
    expect(file).toMatchObject({ concurrency: undefined, store: 'auto', tasks: [{ name: 'client', needs: [] }] })
  })

  test('may share parts by anchors', async () => {
    const text = 'tasks:\n  a: &a {run: make a, inputs: src}\n  b: {<<: *a, run: make b}\n'
    const { tasks } = await parseTaskFile(text, PLACE)
    expect(tasks.map(({ spec }) => [spec.run, spec.inputs.length])).toEqual([
      ['make a', 1],
      ['make b', 1],
    ])
  })
})

describe('a wrong file of tasks', () => {
  test.each([
    ['', 'tasks.yml: '],
    ['tasks: {}', 'tasks.yml: holds no tasks'],
    ['tasks:\n  a: {run: [}', 'tasks.yml: '],
    ['tasks:\n  a: make', 'tasks.yml: tasks.a: is no mapping'],
    ['tasks: {a: {run: x}}\ntask: {}', 'tasks.yml: task: is not one of tasks, defaults, concurrency, store'],
    ['tasks: {a: {run: x}}\nconcurrency: many', 'tasks.yml: concurrency: "many" is not a whole number'],
    ['tasks: {a: {run: x}}\nstore: s4', 'tasks.yml: store: "s4" is not one of'],
    ['tasks: {a: {run: x}}\ndefaults: {run: y}', 'tasks.yml: defaults.run: is no input that can have a default'],
    ['tasks: {a: {run: x}}\ndefaults: {cache: x}', 'tasks.yml: defaults.cache: "x" is not one of'],
    ['tasks: {a: {run: x, store: local}}', 'tasks.yml: tasks.a.store: is not one of needs, run'],
    ['tasks: {a: {run: x, input: src}}', 'tasks.yml: tasks.a.input: is not one of needs, run'],
    ['tasks: {a: {run: x, inputs: ["a\\nb"]}}', 'tasks.yml: tasks.a.inputs: holds a value of several lines'],
    ['tasks: {a: {inputs: src}}', 'tasks.yml: tasks.a.run: "" is empty'],
    ['tasks: {a: {run: x, needs: b}}', 'tasks.yml: a: needs b, which is no task'],
    [
      'tasks: {a: {run: x, needs: b}, b: {run: x, needs: a}}',
      'tasks.yml: tasks need one another in a circle: a -> b -> a',
    ],
    ['tasks: {a: {run: x, outputs: dist}, b: {run: x, outputs: dist/js}}', 'tasks.yml: a and b both make "dist/js"'],
    ['tasks: {a: {run: x}, a: {run: y}}', 'tasks.yml: '],
  ])('%j', async (text, message) => {
    expect(await refusal(text)).toContain(message)
  })

  test('is told everything at once', async () => {
    const told = await refusal('tasks: {a: {run: x, cache: x}, b: {nothing: 1}}\nconcurrency: 0')
    for (const place of ['concurrency', 'tasks.a.cache', 'tasks.b.nothing', 'tasks.b.run'])
      expect(told).toContain(place)
  })
})
