import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const SRC = join(import.meta.dirname, '../src')

/** Rooms that a room may import besides itself and `base`. A name with `:types` may only be imported as types. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  host: [],
  exec: [],
  registry: ['exec'],
  stores: ['exec'],
  python: ['exec', 'stores'],
  layers: ['python:types'],
  dockerfile: ['layers:types', 'python:types'],
  content: ['exec'],
  image: ['registry', 'content', 'exec', 'dockerfile:types'],
  'image-check': ['registry', 'stores', 'exec:types'],
  buildx: ['exec', 'registry'],
  'task-cache': ['exec', 'stores', 'content'],
  'task-graph': ['task-cache:types'],
  'image-diff': [],
  spec: [],
  assemble: ['registry'],
  // Inputs are checked with the parsers of the rooms they belong to; all are pure.
  inputs: ['registry', 'buildx', 'task-cache', 'task-graph', 'stores'],
  migrate: ['inputs'],
  starter: [],
  bake: [],
  report: ['host', 'buildx:types', 'layers:types', 'dockerfile:types', 'registry:types', 'task-cache:types'],
  flow: [
    ...['host', 'exec', 'registry', 'stores', 'python', 'layers', 'dockerfile', 'image', 'image-check', 'buildx'],
    ...[
      'image-diff',
      'assemble',
      'spec',
      'task-cache',
      'task-graph',
      'content',
      'inputs',
      'report',
      'starter',
      'bake',
      'top',
    ],
  ],
  top: [
    ...['host', 'exec', 'registry', 'stores', 'python', 'layers', 'dockerfile', 'image', 'image-check', 'buildx'],
    ...['image-diff', 'assemble', 'spec', 'task-cache', 'task-graph', 'content', 'inputs', 'report', 'flow', 'entry'],
    'library',
  ],
  // Names and no code: what programs may import, by topic.
  library: [
    ...['entry', 'top', 'spec', 'layers', 'python', 'registry', 'task-cache', 'stores:types', 'report:types'],
    ...['exec:types', 'buildx:types', 'flow:types', 'image:types', 'image-check:types', 'inputs:types'],
  ],
  cli: [
    ...['host', 'inputs', 'report', 'layers', 'buildx', 'flow', 'top', 'stores', 'registry', 'exec:types'],
    ...['task-graph', 'task-cache', 'migrate', 'starter', 'bake'],
  ],
  entry: [
    ...['host', 'exec', 'registry', 'stores', 'inputs', 'report', 'cli', 'flow', 'top', 'buildx'],
    'task-cache',
    'image:types',
    'layers:types',
  ],
}

/** Outside things with one owner each. */
const OWNERS: Readonly<Record<string, string>> = {
  '@actions/core': 'host/github-host.ts',
  '@actions/cache': 'stores/actions-store.ts',
  '@aws-sdk/client-s3': 'stores/s3-store.ts',
  '@aws-sdk/lib-storage': 'stores/s3-store.ts',
  '@actions/tool-cache': 'buildx/install-buildx.ts',
  'node:child_process': 'exec/spawn-exec.ts',
}

/** Rooms without I/O, clock or environment. */
const PURE = ['base', 'layers', 'dockerfile', 'inputs', 'report', 'task-graph', 'migrate', 'spec', 'starter', 'bake']
const IMPURE =
  /^node:(fs|child_process|http|https|net|os|process|timers)|Date\.now\(|new Date\(\)|process\.env|\bfetch\(/

interface Import {
  readonly specifier: string
  readonly typesOnly: boolean
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

describe('the import rule', () => {
  test('knows every room', () => {
    expect([...new Set(files.map(roomOf))].filter((room) => !(room in MAY_IMPORT))).toEqual([])
  })

  test.each(files)('%s imports only what its room may', (file) => {
    const allowed = MAY_IMPORT[roomOf(file)] ?? []
    const broken = importsOf(file)
      .filter(({ specifier }) => specifier.startsWith('.'))
      .filter(({ specifier, typesOnly }) => {
        const target = roomOf(relative(SRC, normalize(join(SRC, dirname(file), specifier))))
        if (target === roomOf(file) || target === 'base') return false
        return !allowed.includes(target) && !(typesOnly && allowed.includes(`${target}:types`))
      })
    expect(broken.map(({ specifier }) => specifier)).toEqual([])
  })

  test.each(files)('%s leaves outside things to their owner', (file) => {
    const foreign = importsOf(file).filter(({ specifier }) => specifier in OWNERS && OWNERS[specifier] !== file)
    expect(foreign.map(({ specifier }) => specifier)).toEqual([])
  })

  test.each(files.filter((file) => PURE.includes(roomOf(file))))('%s has no I/O, clock or environment', (file) => {
    // The one clock of the product lives in base, as an implementation of its interface.
    if (file === 'base/clock.ts') return
    const lines = readFileSync(join(SRC, file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\/\/|\*|\/\*)/.test(line))
    const impure = lines.filter(
      (line) => IMPURE.test(line) || /from 'node:(fs|child_process|http|https|net|os)/.test(line),
    )
    expect(impure).toEqual([])
  })
})

test.each(files.filter((file) => roomOf(file) === 'library'))(
  '%s says what it is for, and only names what others hold',
  (file) => {
    const [, intro, names = ''] =
      /^\/\*\*\n([\s\S]*?)\*\/\n([\s\S]*)$/.exec(readFileSync(join(SRC, file), 'utf8')) ?? []
    expect(intro).toMatch(/^ \* [A-Z]/)
    expect(names.replace(/export (type )?\{[^}]*\} from '[^']+'\n/g, '')).toBe('')
  },
)

test('no file or folder is called by a word that says nothing', () => {
  expect(files.filter((file) => /(^|\/|-)(util|utils|helper|helpers|common|misc)(\.|\/|-|$)/.test(file))).toEqual([])
})

test('no file is longer than 300 lines', () => {
  const long = files.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > 300)
  expect(long).toEqual([])
})

function roomOf(file: string): string {
  const [room] = file.split('/')
  return room === undefined || !file.includes('/') ? 'top' : room
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(SRC, file), 'utf8')
  const statements = text.matchAll(
    /(?:import|export)\s+(type\s+)?([^;'"]*?)\s*from\s+'([^']+)'|import\('([^']+)'\)|import\s+'([^']+)'/g,
  )
  return [...statements].map(([, type, names, from, lazy, bare]) => ({
    specifier: from ?? lazy ?? bare ?? '',
    typesOnly: type !== undefined || (names !== undefined && /^\{(\s*type [^,}]+,?)+\s*\}$/.test(names.trim())),
  }))
}
