import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { digestOf } from '../src/base/digest.ts'
import { createProgress } from '../src/buildx/progress.ts'
import { bakeOutputs } from '../src/flow/bake-outputs.ts'
import { checkOutputs } from '../src/flow/check-result.ts'
import { builtImage, skippedImage } from '../src/flow/image-result.ts'
import { platformOutputs } from '../src/flow/platform-outputs.ts'
import { ReportDraft } from '../src/flow/report-draft.ts'
import { BAKE_INPUTS, BAKE_OUTPUTS } from '../src/inputs/bake-input-list.ts'
import { parseBakeInputs } from '../src/inputs/bake-inputs.ts'
import { parseBuildInputs } from '../src/inputs/build-inputs.ts'
import { CHECK_INPUTS, CHECK_OUTPUTS } from '../src/inputs/check-input-list.ts'
import { parseCheckInputs } from '../src/inputs/check-inputs.ts'
import { BUILD_INPUTS, BUILD_OUTPUTS } from '../src/inputs/input-list.ts'
import { MERGE_INPUTS, MERGE_OUTPUTS } from '../src/inputs/merge-input-list.ts'
import { parseMergeInputs } from '../src/inputs/merge-inputs.ts'
import { TASK_INPUTS, TASK_OUTPUTS } from '../src/inputs/task-input-list.ts'
import { expectTask, parseTaskInputs } from '../src/inputs/task-inputs.ts'
import {
  actionYml,
  bakeActionYml,
  checkActionYml,
  mergeActionYml,
  taskActionYml,
  withBakeTables,
  withMergeTables,
  withTables,
  withTaskTables,
} from '../tools/build/describe-inputs.ts'

const ROOT = join(import.meta.dirname, '..')
const HOW = 'npx node tools/build/describe-inputs.ts writes it anew'

const text = readFileSync(join(ROOT, 'action.yml'), 'utf8')
const action: unknown = parse(text)
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')

/** What lies at a path of parsed YAML; undefined where there is nothing. */
function at(...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    action,
  )
}

function keysAt(...path: readonly string[]): readonly string[] {
  const value = at(...path)
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}

describe('action.yml', () => {
  test(`is what the list of inputs makes of it (${HOW})`, () => {
    expect(text).toBe(actionYml())
  })

  test('has the inputs of the list in its order, with its defaults and descriptions', () => {
    expect(keysAt('inputs')).toEqual(BUILD_INPUTS.map(({ name }) => name))
    for (const { name, fallback, description } of BUILD_INPUTS) {
      expect({ name, ...Object(at('inputs', name)) }).toEqual({
        name,
        description,
        required: false,
        default: fallback,
      })
    }
  })

  test('has no input that is described twice or without a word', () => {
    const names = BUILD_INPUTS.map(({ name }) => name)
    expect(names).toEqual([...new Set(names)])
    expect(BUILD_INPUTS.filter(({ description }) => description.trim() === '')).toEqual([])
  })

  test('runs files that are there, on the Node of package.json', () => {
    const files = [at('runs', 'main'), at('runs', 'post')]
    expect(files).toEqual(['dist/main/index.js', 'dist/post/index.js'])
    expect(files.filter((file) => !existsSync(join(ROOT, String(file))))).toEqual([])
    const [, node] = /"node": ">=(\d+)"/.exec(readFileSync(join(ROOT, 'package.json'), 'utf8')) ?? []
    expect(`node${node}`).toBe(at('runs', 'using'))
  })
})

describe('check/action.yml', () => {
  const check = readFileSync(join(ROOT, 'check/action.yml'), 'utf8')

  test(`is what its list of inputs makes of it (${HOW})`, () => {
    expect(check).toBe(checkActionYml())
  })

  test('runs files that are there', () => {
    const { runs } = Object(parse(check))
    expect([runs.main, runs.post]).toEqual(['../dist/check/index.js', '../dist/post/index.js'])
    for (const file of [runs.main, runs.post]) expect(existsSync(join(ROOT, 'check', file))).toBe(true)
  })

  test('has all inputs that its parser reads, but for the push that a check never does', () => {
    const seen = new Set<string>(['push'])
    parseCheckInputs((name) => {
      seen.add(name)
      return name === 'tags' ? 'org/app:1' : ''
    })
    expect([...seen].sort()).toEqual(CHECK_INPUTS.map(({ name }) => name).sort())
  })

  test('has all outputs that are set', () => {
    const given = parseCheckInputs((name) => (name === 'tags' ? 'org/app:1' : ''))
    expect([...checkOutputs([]).keys(), ...platformOutputs([], given).keys()]).toEqual(
      CHECK_OUTPUTS.map(([name]) => name),
    )
  })

  test('has its outputs in the documentation', () => {
    const text = readFileSync(join(ROOT, 'docs/image-check.md'), 'utf8')
    expect(CHECK_OUTPUTS.filter(([name]) => !text.includes(`| \`${name}\` |`))).toEqual([])
  })
})

describe('bake/action.yml', () => {
  const bake = readFileSync(join(ROOT, 'bake/action.yml'), 'utf8')

  test(`is what its list of inputs makes of it, and so are the tables (${HOW})`, () => {
    expect(bake).toBe(bakeActionYml())
    const page = readFileSync(join(ROOT, 'docs/bake.md'), 'utf8')
    expect(page).toBe(withBakeTables(page))
  })

  test('runs files that are there', () => {
    const { runs } = Object(parse(bake))
    expect([runs.main, runs.post]).toEqual(['../dist/bake/index.js', '../dist/post/index.js'])
    for (const file of [runs.main, runs.post]) expect(existsSync(join(ROOT, 'bake', file))).toBe(true)
  })

  test('has all inputs that its parser reads, and hands the others on', () => {
    const seen = new Set<string>()
    const { shared } = parseBakeInputs((name) => {
      seen.add(name)
      return ''
    })
    for (const { name } of BUILD_INPUTS) shared(name)
    expect([...seen].sort()).toEqual(BAKE_INPUTS.map(({ name }) => name).sort())
  })

  test('has all outputs that are set', () => {
    expect([...bakeOutputs([]).keys()]).toEqual(BAKE_OUTPUTS.map(([name]) => name))
  })
})

describe('merge/action.yml', () => {
  const file = readFileSync(join(ROOT, 'merge/action.yml'), 'utf8')

  test(`is what its list of inputs makes of it, with its tables in the documentation (${HOW})`, () => {
    expect(file).toBe(mergeActionYml())
    const page = readFileSync(join(ROOT, 'docs/multi-platform.md'), 'utf8')
    expect(page).toBe(withMergeTables(page))
  })

  test('has all inputs that its parser and its entry read', () => {
    const seen = new Set<string>()
    const digest = `sha256:${'a'.repeat(64)}`
    parseMergeInputs((name) => {
      seen.add(name)
      return { tags: 'org/app:1', digests: digest }[name] ?? ''
    }, [])
    expect([...seen, 'digests-folder'].sort()).toEqual(MERGE_INPUTS.map(({ name }) => name).sort())
  })

  test('has all outputs that are set', () => {
    const entry = readFileSync(join(ROOT, 'src/entry/run-merge-action.ts'), 'utf8')
    const set = [...entry.matchAll(/host\.output\('([a-z-]+)'/g)].map(([, name]) => name)
    expect(set).toEqual(MERGE_OUTPUTS.map(([name]) => name))
  })
})

describe('the parser', () => {
  test('reads every input of action.yml and no other', () => {
    const seen = new Set<string>()
    parseBuildInputs((name) => {
      seen.add(name)
      return ''
    })
    expect([...seen].sort()).toEqual([...keysAt('inputs')].sort())
  })

  test('takes the defaults of action.yml as it takes nothing at all', () => {
    const given = parseBuildInputs((name) => String(at('inputs', name, 'default') ?? ''))
    expect(given).toEqual(parseBuildInputs(() => ''))
  })
})

describe('the outputs', () => {
  const names = BUILD_OUTPUTS.map(([name]) => name)

  test('of action.yml are those of the list', () => {
    expect(keysAt('outputs')).toEqual(names)
  })

  test('are set by a run that builds: all of them', () => {
    const entry = readFileSync(join(ROOT, 'src/entry/run-build-action.ts'), 'utf8')
    // The entry alone knows where the Dockerfile is kept.
    const byEntry = [...entry.matchAll(/host\.output\('([a-z-]+)'/g)].map(([, name]) => name)
    expect([...built(), ...byEntry].sort()).toEqual([...names].sort())
  })

  test('are set by a run that skips, but for the Dockerfile that was not built', () => {
    expect([...skipped(), 'dockerfile'].sort()).toEqual([...names].sort())
  })
})

describe('README', () => {
  test(`has the tables that the list of inputs makes (${HOW})`, () => {
    expect(readme).toBe(withTables(readme))
  })

  test('names every input and output', () => {
    const missing = [...BUILD_INPUTS.map(({ name }) => name), ...BUILD_OUTPUTS.map(([name]) => name)].filter(
      (name) => !readme.includes(`| \`${name}\` |`),
    )
    expect(missing).toEqual([])
  })

  test('needs its markers', () => {
    expect(() => withTables(readme.replace('<!-- /inputs -->', ''))).toThrow('lacks the markers')
  })
})

describe('task/action.yml', () => {
  const file = readFileSync(join(ROOT, 'task/action.yml'), 'utf8')
  const task: unknown = parse(file)
  const defaults = Object(Reflect.get(Object(task), 'inputs'))
  const given = (name: string): string => ({ name: 'a', run: 'make' })[name] ?? String(defaults[name]?.default ?? '')

  test(`is what the list of inputs makes of it (${HOW})`, () => {
    expect(file).toBe(taskActionYml())
  })

  test('has the inputs and outputs of the list, empty where a workflow may have a default', () => {
    expect(Object.keys(defaults)).toEqual(TASK_INPUTS.map(({ name }) => name))
    expect(Object.keys(Object(Reflect.get(Object(task), 'outputs')))).toEqual(TASK_OUTPUTS.map(([name]) => name))
    const withDefault = TASK_INPUTS.filter(({ name }) => defaults[name].default !== '')
    expect(withDefault.filter(({ inherits }) => inherits !== 'no')).toEqual([])
  })

  test('runs files that are there', () => {
    const runs = Object(Reflect.get(Object(task), 'runs'))
    expect([runs.main, runs.post]).toEqual(['../dist/task/index.js', '../dist/post/index.js'])
    expect([runs.main, runs.post].filter((path) => !existsSync(join(ROOT, 'task', path)))).toEqual([])
  })

  test('is read by the parser: every input and no other, with the defaults that hold for nothing', () => {
    const seen = new Set<string>()
    const least = (name: string): string => {
      seen.add(name)
      return { name: 'a', run: 'make' }[name] ?? ''
    }
    expect(expectTask(parseTaskInputs(given))).toEqual(expectTask(parseTaskInputs(least)))
    expect([...seen].sort()).toEqual(TASK_INPUTS.map(({ name }) => name).sort())
  })

  test(`has its tables in docs/task-cache.md (${HOW})`, () => {
    const page = readFileSync(join(ROOT, 'docs/task-cache.md'), 'utf8')
    expect(page).toBe(withTaskTables(page))
  })
})

function draft(): ReportDraft {
  return new ReportDraft('ghcr.io/org/app', [], 0, { now: () => 0 })
}

function built(): readonly string[] {
  const dockerfile = {
    text: '',
    assembly: 'as-written',
    assemblyReason: '',
    layers: [],
    steps: [],
    notes: [],
    pulledBytes: 0,
  } as const
  const { outputs } = builtImage(
    parseBuildInputs(() => ''),
    { kind: 'unknown', reason: 'none' },
    dockerfile,
    { metadata: { text: '{}', digest: undefined, imageId: undefined }, timeline: createProgress().snapshot() },
    draft(),
  )
  return [...outputs.keys()]
}

function skipped(): readonly string[] {
  const { outputs } = skippedImage(
    parseBuildInputs(() => ''),
    { kind: 'unknown', reason: 'none' },
    { digest: digestOf('an image'), imageId: digestOf('a configuration'), reason: 'found by registry' },
    draft(),
  )
  return [...outputs.keys()]
}
