import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { BAKE_INPUTS } from '../../src/inputs/bake-input-list.ts'
import { CHECK_INPUTS, CHECK_OUTPUTS } from '../../src/inputs/check-input-list.ts'
import { BUILD_INPUTS, BUILD_OUTPUTS } from '../../src/inputs/input-list.ts'
import { MERGE_INPUTS } from '../../src/inputs/merge-input-list.ts'
import { parseTaskDefaults } from '../../src/inputs/task-defaults.ts'
import { parseTaskFile } from '../../src/inputs/task-file.ts'
import { TASK_INPUTS } from '../../src/inputs/task-input-list.ts'
import { expectTask, parseTaskInputs } from '../../src/inputs/task-inputs.ts'
import { parseSpec } from '../../src/spec/parse-spec.ts'
import { codeBlocks, OWN_FILE, ROOT, readText } from './documents.ts'

const FOLDER = '.github/workflows'
const inputs = new Set(BUILD_INPUTS.map(({ name }) => name))
const outputs = new Set(BUILD_OUTPUTS.map(([name]) => name))
const yaml = codeBlocks('yaml').map(({ path, code }) => [path, code] as const)
const own = yaml.filter(([, code]) => OWN_FILE.test(code))
const blocks = yaml.filter((block) => !own.includes(block))
const workflows = readdirSync(join(ROOT, FOLDER)).map((name) => [name, readText(`${FOLDER}/${name}`)] as const)

describe('YAML in the docs', () => {
  test('is there', () => {
    expect(blocks.length).toBeGreaterThan(2)
  })

  test.each(blocks)('of %s can be parsed, and gives our action inputs that it has', (_, code) => {
    const steps = stepsIn(parse(code))
    expect(steps.length).toBeGreaterThan(0)
    const unknown = steps
      .filter(({ uses }) => /image-cache-action@/.test(String(uses)))
      .flatMap((step) => Object.keys(Object(step.with)).filter((name) => !inputs.has(name)))
    expect(unknown).toEqual([])
  })

  test.each(blocks)('of %s gives the check inputs that it has, and reads outputs that it has', (_, code) => {
    const known = new Set(CHECK_INPUTS.map(({ name }) => name))
    const given = stepsIn(parse(code))
      .filter(({ uses }) => /image-cache-action\/check@/.test(String(uses)))
      .flatMap((step) => Object.keys(Object(step.with)))
    expect(given.filter((name) => !known.has(name))).toEqual([])
    const read = [...code.matchAll(/steps\.check\.outputs\.([\w-]+)/g)].map(([, name = '']) => name)
    expect(read.filter((name) => !CHECK_OUTPUTS.some(([output]) => output === name))).toEqual([])
  })

  test('of the bake action gives inputs that it has', () => {
    const steps = blocks.flatMap(([, code]) => stepsIn(parse(code)))
    const bakes = steps.filter(({ uses }) => /image-cache-action\/bake@/.test(String(uses)))
    expect(bakes.length).toBeGreaterThan(0)
    const known = new Set(BAKE_INPUTS.map(({ name }) => name))
    expect(bakes.flatMap((step) => Object.keys(Object(step.with))).filter((name) => !known.has(name))).toEqual([])
  })

  test.each(blocks)('of %s reads outputs that our action has', (_, code) => {
    const read = [...code.matchAll(/steps\.image\.outputs\.([\w-]+)/g)].map(([, name = '']) => name)
    expect(read.filter((name) => !outputs.has(name))).toEqual([])
  })
})

describe('tasks in the docs', () => {
  const steps = blocks.flatMap(([path, code]) =>
    stepsIn(parse(code)).map((step) => [path, String(step.uses), Object(step.with)] as const),
  )

  test.each(own)('%s has files of ours that we can read', async (_, code) => {
    if (code.startsWith('# .image-cache.yml')) expect((await parseTaskDefaults(code, {})).size).toBeGreaterThan(0)
    else if (code.startsWith('# image.yml')) expect((await parseSpec(code, 'image.yml')).layers).not.toEqual([])
    else expect((await parseTaskFile(code, { place: 'tasks.yml' })).tasks.length).toBeGreaterThan(0)
  })

  test.each(steps.filter(([, uses]) => /image-cache-action\/task@/.test(uses)))(
    '%s has steps of %s with inputs that are right',
    (_, __, given: Readonly<Record<string, unknown>>) => {
      const names: readonly string[] = TASK_INPUTS.map(({ name }) => name)
      expect(Object.keys(given).filter((name) => !names.includes(name))).toEqual([])
      expect(expectTask(parseTaskInputs((name) => String(given[name] ?? ''))).spec.name).toBe(given.name)
    },
  )

  test.each(steps.filter(([, , given]) => 'tasks' in given))(
    '%s has tasks of a build that are right',
    async (_, __, given) => {
      expect((await parseTaskFile(String(given.tasks), { place: 'tasks' })).tasks.length).toBeGreaterThan(0)
    },
  )
})

/** The reusable workflow hands its inputs on, so its names are ours. */
describe('the reusable workflow', () => {
  const steps = stepsIn(parse(readText(`${FOLDER}/build.yml`)))
  const names = (action: string): readonly string[] =>
    steps.filter(({ uses }) => uses === action).flatMap((step) => Object.keys(Object(step.with)))

  test.each([
    ['org/image-cache-action@v1', BUILD_INPUTS],
    ['org/image-cache-action/check@v1', CHECK_INPUTS],
    ['org/image-cache-action/merge@v1', MERGE_INPUTS],
  ])('gives %s inputs that it has', (action, known) => {
    const given = names(action)
    expect(given.length).toBeGreaterThan(3)
    expect(given.filter((name) => !known.some((input) => input.name === name))).toEqual([])
  })

  test('has what the documentation says of it, and is called with what it has', () => {
    const { inputs, secrets, outputs } = Object(parse(readText(`${FOLDER}/build.yml`))).on.workflow_call
    const page = readText('docs/reusable-workflow.md')
    const missing = [inputs, secrets, outputs].flatMap(Object.keys).filter((name) => !page.includes(`\`${name}\``))
    expect(missing).toEqual([])
    const calls = blocks
      .flatMap(([, code]) => stepsIn(parse(code)))
      .filter(({ uses }) => String(uses).endsWith('/build.yml@v1'))
    expect(calls.length).toBeGreaterThan(1)
    const given = calls.flatMap((call) => Object.keys(Object(call.with)))
    expect(given.filter((name) => !(name in inputs))).toEqual([])
    expect(calls.flatMap((call) => Object.keys(Object(call.secrets))).filter((name) => !(name in secrets))).toEqual([])
  })

  test('checks what it builds: all that decides the image goes to both', () => {
    const hows = ['builder', 'push', 'cache-from', 'cache-to']
    const built = names('org/image-cache-action@v1').filter((name) => !hows.includes(name))
    const checked = names('org/image-cache-action/check@v1').filter((name) => name !== 'each-platform')
    expect(checked.sort()).toEqual(built.sort())
  })
})

describe.each(workflows)('the workflow %s', (_, text) => {
  test('pins every action but our own to a commit, with its version beside it', () => {
    const used = [...text.matchAll(/^\s*(?:- )?uses: (\S+)(.*)$/gm)].filter(
      ([, name = '']) => !/^(\.\/|org\/image-cache-action[/@])/.test(name),
    )
    const loose = used.filter(([, name = '', rest = '']) => !/@[0-9a-f]{40}$/.test(name) || !/^ # v\d/.test(rest))
    expect(loose.map(([line]) => line.trim())).toEqual([])
  })

  test('may read contents and no more, and leaves no token behind', () => {
    const workflow: unknown = parse(text)
    // One that is called has the rights of the job that calls it, and must not ask for more.
    const rights = isCalled(workflow) ? undefined : { contents: 'read' }
    expect(Object(workflow).permissions).toEqual(rights)
    const checkouts = stepsIn(workflow).filter(({ uses }) => String(uses).startsWith('actions/checkout@'))
    expect(checkouts.length).toBeGreaterThan(0)
    for (const step of checkouts) expect(step).toMatchObject({ with: { 'persist-credentials': false } })
  })
})

function isCalled(workflow: unknown): boolean {
  const { on } = Object(workflow)
  return typeof on === 'object' && on !== null && Object.keys(on).join() === 'workflow_call'
}

/** Every step below a value: an object that uses an action or runs a command. */
function stepsIn(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (Array.isArray(value)) return value.flatMap(stepsIn)
  if (typeof value !== 'object' || value === null) return []
  const record: Readonly<Record<string, unknown>> = { ...value }
  if ('uses' in record || 'run' in record) return [record]
  return Object.values(record).flatMap(stepsIn)
}
