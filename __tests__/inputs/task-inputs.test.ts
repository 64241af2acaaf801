import { describe, expect, test } from '@jest/globals'
import { expectTask, type ParseTaskOptions, parseTaskInputs } from '../../src/inputs/task-inputs.ts'

const LEAST = { name: 'bundle', run: 'make' }

function parse(given: Readonly<Record<string, string>>, options: ParseTaskOptions = {}) {
  return expectTask(parseTaskInputs((name) => given[name] ?? '', options))
}

function mistakes(given: Readonly<Record<string, string>>, options: ParseTaskOptions = {}): readonly string[] {
  const parsed = parseTaskInputs((name) => given[name] ?? '', options)
  return parsed.kind === 'wrong' ? parsed.mistakes : []
}

test('a name and a script are a task with every default', () => {
  expect(parse(LEAST)).toEqual({
    spec: {
      name: 'bundle',
      run: 'make',
      shell: 'bash',
      workingDirectory: '.',
      env: {},
      inputs: [],
      ignoredInputs: [],
      outputs: { files: [], values: [] },
      code: [],
      cache: 'auto',
      version: undefined,
      policies: undefined,
      salt: '',
      maxAge: undefined,
      maxOutputSize: 10e9,
      serialize: false,
      overwrite: false,
      scope: '',
      platform: undefined,
    },
    store: 'auto',
    waitLimit: 3600,
  })
})

test('every kind of input and output is told from the others', () => {
  const { spec } = parse({
    ...LEAST,
    inputs: 'src/**\n!src/gen/**\nenv:NODE_ENV\ncmd: node --version\nvalue:flavour=blue\n# a remark\n',
    'ignored-inputs': 'env:HOME\nsrc/**/*.md',
    outputs: 'dist\n*.{js,css}\nvalue:version\n',
  })
  expect(spec.inputs.map(({ kind }) => kind)).toEqual(['glob', 'glob', 'env', 'cmd', 'value'])
  expect(spec.ignoredInputs.map(({ kind }) => kind)).toEqual(['env', 'glob'])
  expect(spec.outputs).toEqual({ files: ['dist', '*.{js,css}'], values: ['version'] })
})

test('a command line takes the place of a script', () => {
  expect(parse({ name: 'bundle' }, { argv: ['make', '-j', '2'] }).spec.run).toEqual(['make', '-j', '2'])
})

test.each([
  ['any', undefined],
  ['native', 'linux/arm64'],
  ['cuda-12', 'cuda-12'],
])('platform: %s', (platform, expected) => {
  expect(parse({ ...LEAST, platform }, { nativePlatform: 'linux/arm64' }).spec.platform).toBe(expected)
})

describe('what surrounds a task', () => {
  const defaults = new Map([
    ['salt', 'autumn'],
    ['shell', 'sh'],
    ['inputs', '.tool-versions'],
    ['env', 'CI=1'],
  ])

  test('gives it what it does not say itself', () => {
    const { spec } = parse(LEAST, { defaults, scope: 'org/app' })
    expect(spec).toMatchObject({ salt: 'autumn', shell: 'sh', scope: 'org/app', env: { CI: '1' } })
  })

  test('is replaced by its own words, and inputs and environment add up', () => {
    const own = { ...LEAST, salt: 'winter', inputs: 'src', env: 'CI=0\nA=b', scope: 'mine' }
    const { spec } = parse(own, { defaults, scope: 'org/app' })
    expect(spec).toMatchObject({ salt: 'winter', scope: 'mine', env: { CI: '0', A: 'b' } })
    expect(spec.inputs).toEqual([
      { kind: 'glob', pattern: '.tool-versions' },
      { kind: 'glob', pattern: 'src' },
    ])
  })

  test('can not set what is a task’s own', () => {
    const { spec } = parse(LEAST, { defaults: new Map([['outputs', 'everything']]) })
    expect(spec.outputs.files).toEqual([])
  })

  test.each([
    ['all', true],
    [new Set(['bundle']), true],
    [new Set(['other']), false],
    ['none', false],
  ] as const)('asks for a new result: %p', (tasks, expected) => {
    expect(parse(LEAST, { refresh: { tasks, why: '' } }).spec.overwrite).toBe(expected)
    expect(parse({ ...LEAST, overwrite: 'true' }, { refresh: { tasks, why: '' } }).spec.overwrite).toBe(true)
  })
})

describe('mistakes', () => {
  test('are told together, each with the input and what it got', () => {
    const given = {
      cache: 'sometimes',
      'max-age': 'soon',
      'max-output-size': 'big',
      serialize: 'yes',
      store: 's4',
      inputs: '../secret\nenv:1A',
      outputs: '/etc/passwd\nvalue:a b\nvalue:key',
      code: '..',
      'working-directory': '/tmp',
      policies: 'luck',
    }
    const told = mistakes(given).join('\n')
    for (const [name, value] of Object.entries(given)) {
      for (const line of value.split('\n')) expect(told).toContain(`${name}: ${JSON.stringify(line)} `)
    }
    expect(told).toContain('name: "" is empty')
    expect(told).toContain('run: "" is empty')
  })

  test.each([
    [{ ...LEAST, cache: 'override' }, 'version'],
    [{ ...LEAST, policies: 'none' }, 'version'],
  ])('are that nothing would tell versions apart: %p', (given, name) => {
    expect(mistakes(given)).toEqual([expect.stringMatching(`^${name}: `)])
    expect(mistakes({ ...given, version: '7' })).toEqual([])
  })

  test('are a script and a command at once', () => {
    expect(mistakes(LEAST, { argv: ['make'] })).toEqual([expect.stringContaining('a command after --')])
  })

  test('name the place of an input where it has one', () => {
    expect(mistakes({ ...LEAST, cache: 'x' }, { label: (name) => `tasks.yml: tasks.a.${name}` })).toEqual([
      expect.stringMatching(/^tasks\.yml: tasks\.a\.cache: "x" is not one of auto, /),
    ])
  })
})
