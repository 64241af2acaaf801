import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { callContext } from '../../src/task-cache/call-context.ts'
import { functionSource } from '../../src/task-cache/function-source.ts'
import { TaskCache } from '../../src/task-cache/task-cache.ts'
import { startTaskRig, type TaskRig } from '../support/task-rig.ts'

describe('the source of a function', () => {
  const make = (source: string): ((...args: never[]) => unknown) => new Function(`return ${source}`)()

  async function treeOf(source: string): Promise<string | undefined> {
    return (await functionSource(make(source)))?.tree
  }

  test.each([
    ['white space', 'function f(a) { return a+1 }', 'function f ( a )  {\n\n return a + 1\n}'],
    ['comments', 'function f(a) { return a }', 'function f(a) { /* what */ return a // why\n }'],
    ['quotes', 'function f() { return "a" }', "function f() { return 'a' }"],
    ['forms of numbers', 'function f() { return 1000 }', 'function f() { return 1_000 }'],
    ['semicolons', 'function f() { g(); h() }', 'function f() { g()\n h(); }'],
  ])('is the same for other %s', async (_, one, other) => {
    expect(await treeOf(one)).toBeDefined()
    expect(await treeOf(other)).toBe(await treeOf(one))
  })

  test.each([
    ['a rename', 'function f() {}', 'function g() {}'],
    ['the rename of a parameter', 'function f(a) { return a }', 'function f(b) { return b }'],
    ['another default', 'function f(a = 1) {}', 'function f(a = 2) {}'],
    ['a text at its beginning', 'function f() { "does this" }', 'function f() { "does that" }'],
    ['a line end that ends a statement', 'function f() { return 1 }', 'function f() { return\n1 }'],
    ['a number and its text', 'function f() { return 1 }', 'function f() { return "1" }'],
    ['an integer of any size', 'function f() { return 1n }', 'function f() { return 2n }'],
    ['a regular expression', 'function f() { return /a/g }', 'function f() { return /a/i }'],
    ['white space in a text', 'function f() { return "a b" }', 'function f() { return "a  b" }'],
    ['white space in a template', 'function f() { return `a b` }', 'function f() { return `a  b` }'],
    ['async', 'function f() {}', 'async function f() {}'],
    ['an arrow', '(() => 1)', '(function () { return 1 })'],
    ['a number that is too large', 'function f() { return 1e999 }', 'function f() { return null }'],
  ])('tells %s', async (_, one, other) => {
    expect(await treeOf(one)).not.toBe(await treeOf(other))
  })

  test.each([
    ['a method', '({ m(a, b) { return a } }).m', ['a', 'b']],
    ['an async method', '({ async m(a) { return a } }).m', ['a']],
    ['a static method', '(class { static m(a) { return a } }).m', ['a']],
    ['a generator', 'function* g(a) { yield a }', ['a']],
    ['parameters of all kinds', '(a, b = 1, { c }, ...d) => 1', ['a', 'b', 'argument 3', 'd']],
  ])('is read of %s', async (_, source, parameters) => {
    expect((await functionSource(make(source)))?.parameters).toEqual(parameters)
  })

  test.each(['Math.max', '(function f() {}).bind(null)'])('is not to be had of %s', async (source) => {
    expect(await treeOf(source)).toBeUndefined()
  })
})

describe('a cached function', () => {
  let rig: TaskRig
  let cache: TaskCache
  let calls: unknown[][]

  beforeEach(async () => {
    rig = await startTaskRig()
    cache = new TaskCache(rig.deps)
    calls = []
  })
  afterEach(() => rig.close())

  test('runs once for the same arguments, and gives the same value', async () => {
    const add = cache.cached(function add(a: number, b: number): { readonly sum: number } {
      calls.push([a, b])
      return { sum: a + b }
    })
    expect(await add(1, 2)).toEqual({ sum: 3 })
    expect(await add(1, 2)).toEqual({ sum: 3 })
    expect(await add(1, 3)).toEqual({ sum: 4 })
    expect(calls).toEqual([
      [1, 2],
      [1, 3],
    ])
  })

  test('tells how a value came about, and which argument made it run', async () => {
    const twice = cache.cached(async function twice(n: number) {
      return n * 2
    })
    expect(await twice.detailed(1)).toMatchObject({
      value: 2,
      cacheStatus: 'miss',
      why: 'no earlier result of this task',
    })
    expect(await twice.detailed(1)).toMatchObject({ value: 2, cacheStatus: 'hit' })
    expect(await twice.detailed(2)).toMatchObject({ value: 4, why: 'argument n 1 -> 2' })
  })

  test('knows in which call it runs', async () => {
    const inner = (): unknown => callContext()
    const outer = cache.cached(
      async function outer() {
        await Promise.resolve()
        return inner()
      },
      { cache: 'disable' },
    )
    expect(await outer()).toEqual({ name: 'outer', cacheStatus: 'disabled', key: undefined })
    expect(callContext()).toBeUndefined()
  })

  test('tells arguments apart that look alike as text', async () => {
    const kind = cache.cached(function kind(...values: readonly unknown[]) {
      calls.push([...values])
      return calls.length
    })
    const lists = [['1'], [1], [null], [undefined], [], ['a', 'b'], [['a', 'b']], [{ a: 1 }], ['{"a":1}']]
    const answers: unknown[] = []
    for (const list of lists) answers.push(await kind(...list))
    expect(new Set(answers).size).toBe(lists.length)
  })

  test('does not care for the order of fields', async () => {
    const count = cache.cached(function count(_: unknown) {
      calls.push([])
      return calls.length
    })
    await count({ a: 1, b: { c: 2, d: 3 } })
    expect(await count({ b: { d: 3, c: 2 }, a: 1 })).toBe(1)
  })

  test('brings back undefined and null as they are', async () => {
    const nothing = cache.cached(function nothing(which: string): undefined | null {
      return which === 'null' ? null : undefined
    })
    for (const _ of [1, 2]) {
      expect(await nothing('null')).toBeNull()
      expect(await nothing('undefined')).toBeUndefined()
    }
  })

  test('gets ignored arguments and does not depend on them', async () => {
    const work = cache.cached(
      function work(n: number, verbose: boolean) {
        calls.push([n, verbose])
        return n
      },
      { ignoredArguments: ['verbose'] },
    )
    await work(1, true)
    await work(1, false)
    expect(calls).toEqual([[1, true]])
  })

  test('is not kept when JSON would give another value back', async () => {
    const date = cache.cached(function date() {
      return new Date(0)
    })
    for (const _ of [1, 2]) {
      const { value, task } = await date.detailed()
      expect(value).toEqual(new Date(0))
      expect(task.kept).toEqual({ kind: 'not-kept', reason: 'the value is no plain JSON' })
    }
  })

  test('runs when an argument is no plain JSON', async () => {
    const size = cache.cached(function size(map: ReadonlyMap<string, string>) {
      return map.size
    })
    expect(await size.detailed(new Map([['a', 'b']]))).toMatchObject({
      value: 1,
      cacheStatus: 'unavailable',
      why: 'an argument is no plain JSON',
    })
  })

  test('throws what it throws, each time', async () => {
    const fail = cache.cached(function fail(): number {
      calls.push([])
      throw new TypeError('no')
    })
    for (const _ of [1, 2]) await expect(fail()).rejects.toThrow(TypeError)
    expect(calls.length).toBe(2)
  })

  test('writes files that come back', async () => {
    const write = cache.cached(
      function write(text: string) {
        calls.push([text])
        writeFileSync(join(rig.root, 'out.txt'), text)
        return text.length
      },
      { outputs: ['out.txt'] },
    )
    await write('one')
    await write('three')
    expect(await write('one')).toBe(3)
    expect(readFileSync(join(rig.root, 'out.txt'), 'utf8')).toBe('one')
    expect(calls).toEqual([['one'], ['three']])
  })

  test('warns of imports of its module that are not declared: their changes go unseen', async () => {
    await rig.write({ 'steps.ts': "import { helper } from './helper.ts'\n" })
    const twice = (n: number) => n * 2
    const options = { name: 'twice', code: ['steps.ts'] }
    expect((await cache.cached(twice, options).detailed(1)).task.warnings).toEqual([
      'steps.ts imports ./helper.ts, which is not declared as code: its changes go unseen',
    ])
    await rig.write({ 'helper.ts': '' })
    const declared = cache.cached(twice, { ...options, code: ['steps.ts', 'helper.ts'] })
    expect((await declared.detailed(1)).task.warnings).toEqual([])
  })

  test('runs again when its source changes, and when a declared file does', async () => {
    await rig.write({ 'helper.ts': '1' })
    const options = { name: 'f', code: ['helper.ts'] }
    const first = cache.cached(function f() {
      return 1
    }, options)
    const second = cache.cached(function f() {
      return 2
    }, options)
    expect(await first()).toBe(1)
    expect(await second.detailed()).toMatchObject({ value: 2, why: 'function changed' })
    await rig.write({ 'helper.ts': '2' })
    expect(await second.detailed()).toMatchObject({ cacheStatus: 'miss', why: 'code helper.ts changed' })
  })

  test('of given versions is not read', async () => {
    const first = cache.cached(() => 1, { name: 'f', cache: 'override', version: '1' })
    const second = cache.cached(() => 2, { name: 'f', cache: 'override', version: '1' })
    expect([await first(), await second()]).toEqual([1, 1])
  })

  test('needs a name, and a version', () => {
    expect(() => cache.cached(() => 1)).toThrow(/name is empty/)
    expect(() => cache.cached(() => 1, { name: 'f', policies: [] })).toThrow(/policies is empty/)
    expect(() => cache.cached(() => 1, { name: 'f', cache: 'override' })).toThrow(/override needs a version/)
  })

  test('takes the defaults of its cache, and its own before them', async () => {
    const off = new TaskCache(rig.deps, { cache: 'disable' })
    const f = off.cached(() => 1, { name: 'f' })
    const g = off.cached(() => 1, { name: 'g', cache: 'auto' })
    expect((await f.detailed()).cacheStatus).toBe('disabled')
    expect((await g.detailed()).cacheStatus).toBe('miss')
  })
})
