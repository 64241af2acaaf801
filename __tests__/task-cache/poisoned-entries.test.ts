import { mkdir, open, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Digest, digestOf } from '../../src/base/digest.ts'
import { signedSeal } from '../../src/stores/entry-seal.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { defineTask, type TaskDefinition } from '../../src/task-cache/define-task.ts'
import type { OutputEntry } from '../../src/task-cache/output-manifest.ts'
import { packOutputs } from '../../src/task-cache/pack-outputs.ts'
import { entryKey } from '../../src/task-cache/task-key.ts'
import type { TaskRecord } from '../../src/task-cache/task-record.ts'
import type { TaskResult } from '../../src/task-cache/task-result.ts'
import { COUNT, startTaskRig, type TaskRig, writeFiles } from '../support/task-rig.ts'

const TASK: TaskDefinition = {
  name: 'build',
  run: `mkdir -p dist; cat in.txt > dist/a; ${COUNT}`,
  inputs: ['in.txt'],
  outputs: { files: ['dist'], values: [] },
}

let rig: TaskRig
let key: Digest

beforeEach(async () => {
  rig = await startTaskRig()
  await rig.write({ 'in.txt': 'true content' })
  key = (await rig.run({ ...TASK, cache: 'auto' })).key ?? digestOf('')
  await rm(join(rig.root, 'dist'), { recursive: true })
  await rig.write({ 'dist/mine': 'as it was' })
})
afterEach(() => rig.close())

function file(path: string, content: string): OutputEntry {
  return { kind: 'file', path, mode: 0o644, size: content.length, digest: digestOf(content) }
}

/** Saves an entry as the newest of the task's key, made of files of a folder elsewhere. */
async function plant(
  outputs: readonly OutputEntry[],
  files: Readonly<Record<string, string>>,
  over: Partial<TaskRecord> = {},
  damage: (archive: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const elsewhere = join(rig.root, '../elsewhere')
  await mkdir(elsewhere)
  await writeFiles(elsewhere, files)
  const base = { key, name: 'build', madeAt: Date.now(), seconds: 1, origin: {}, log: ['evil'], values: {} }
  const archive = join(rig.temporary, 'planted')
  await packOutputs(elsewhere, { ...base, outputs, ...over }, archive, new AbortController().signal)
  await damage(archive)
  expect(await rig.deps.store.saveFile(entryKey(defineTask(TASK), key, 5), archive)).toEqual({ kind: 'saved' })
  await rm(archive)
}

async function expectRunsAnew(reason: RegExp): Promise<TaskResult> {
  const runs = await rig.runs()
  const outside = await besides()
  // What stands in the workspace when the task starts is what stood there before.
  const result = await rig.run({ ...TASK, run: TASK.run })
  expect(result).toMatchObject({ status: 'miss', exitCode: 0 })
  expect(result.why).toMatch(reason)
  expect(await rig.runs()).toBe(runs + 1)
  expect(await rig.read('dist/a')).toBe('true content')
  expect(await rig.read('dist/mine')).toBe('as it was')
  expect(await besides()).toEqual(outside)
  return result
}

/** What lies beside the workspace; what is remembered of inputs comes when these have lain there for a while. */
async function besides(): Promise<readonly string[]> {
  return (await readdir(join(rig.root, '..'))).filter((name) => name !== 'stats').sort()
}

describe('an entry that means harm is not used, the workspace stays as it was, and the task runs', () => {
  test.each<[string, readonly OutputEntry[], Readonly<Record<string, string>>, RegExp]>([
    ['with a path outside', [file('../pwned', 'x')], { '../pwned': 'x' }, /leaves the workspace/],
    ['with a path that is not declared', [file('in.txt', 'x')], { 'in.txt': 'x' }, /"in.txt" is not declared/],
    [
      'with a hook of git',
      [file('.git/hooks/post-checkout', 'x')],
      { '.git/hooks/post-checkout': 'x' },
      /not declared/,
    ],
    ['with a link outside', [{ kind: 'link', path: 'dist/l', target: '../../x' }], {}, /points outside/],
    ['with an absolute link', [{ kind: 'link', path: 'dist/l', target: '/etc' }], {}, /points outside/],
    ['with names that clash', [file('dist/A', 'x'), file('dist/a', 'x')], { 'dist/A': 'x', 'dist/a': 'x' }, /clash/],
    [
      'with a file below a link',
      [{ kind: 'link', path: 'dist/l', target: '.' }, file('dist/l/x', 'x')],
      { 'dist/l/x': 'x' },
      /no folder/,
    ],
  ])('%s', async (_, outputs, files, reason) => {
    await plant(outputs, files)
    await rm(join(rig.root, '../pwned'), { force: true })
    await expectRunsAnew(reason)
  })

  test('of another key', async () => {
    await plant([file('dist/a', 'evil')], { 'dist/a': 'evil' }, { key: digestOf('another') })
    await expectRunsAnew(/belongs to another task/)
  })

  test('with values that are not declared', async () => {
    await plant([file('dist/a', 'evil')], { 'dist/a': 'evil' }, { values: { PATH: '/evil' } })
    await expectRunsAnew(/holds the value PATH, which is not declared/)
  })

  test('that unpacks to more than allowed', async () => {
    await plant([{ ...file('dist/a', 'x'), size: 1 } as OutputEntry], { 'dist/a': 'x' })
    const result = await rig.run({ ...TASK, maxOutputSize: 0.5 })
    expect(result.why).toMatch(/larger than max-output-size/)
  })

  test('whose folder in the workspace is a link to elsewhere', async () => {
    await plant([file('dist/sub/a', 'x')], { 'dist/sub/a': 'x' })
    await mkdir(join(rig.root, '../outside'))
    await rm(join(rig.root, 'dist'), { recursive: true })
    await symlink('../outside', join(rig.root, 'dist'))
    const task = { ...TASK, outputs: { files: ['dist/sub'], values: [] } }
    await rig.run({ ...task, run: 'mkdir -p dist/sub; echo y > dist/sub/a' })
    await rm(join(rig.root, '../outside/sub'), { recursive: true, force: true })
    const again = await rig.run({ ...task, run: 'mkdir -p dist/sub; echo y > dist/sub/a' })
    expect(again.why).toMatch(/leads out of the workspace/)
  })
})

describe('an entry that is broken is not used, and is replaced', () => {
  test.each<[string, RegExp, (archive: string) => Promise<void>]>([
    ['cut off', /of no use/, (archive) => truncate(archive, 300)],
    ['cut off in its record', /of no use/, (archive) => truncate(archive, 30)],
    ['empty', /of no use/, (archive) => truncate(archive, 0)],
    ['no archive at all', /of no use/, (archive) => writeFile(archive, 'hello')],
    [
      'changed in the middle',
      /of no use/,
      async (archive) => {
        const handle = await open(archive, 'r+')
        await handle.write(Buffer.from('changed!'), 0, 8, 280)
        await handle.close()
      },
    ],
  ])('when it is %s', async (_, reason, damage) => {
    const content = Array.from({ length: 400 }, (__, n) => String.fromCharCode(33 + ((n * n * 7) % 90))).join('')
    await plant([file('dist/a', content)], { 'dist/a': content }, {}, damage)
    await expectRunsAnew(reason)
    // `dist/mine` is not of the task's making, so its result is not kept until that is gone.
    await rm(join(rig.root, 'dist'), { recursive: true })
    expect(await rig.run(TASK)).toMatchObject({ status: 'miss', kept: { kind: 'kept' } })
    expect(await rig.run(TASK)).toMatchObject({ status: 'hit' })
  })

  test('when the store finds it changed', async () => {
    for (const entry of await readdir(rig.storeFolder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/-g0\./.test(entry.name)) continue
      const handle = await open(join(entry.parentPath, entry.name), 'r+')
      const { size } = await handle.stat()
      await handle.write(Buffer.from('damaged'), 0, 7, size - 20)
      await handle.close()
    }
    const result = await rig.run(TASK)
    expect(result.status).toBe('miss')
    expect(await rig.read('dist/a')).toBe('true content')
  })
})

describe('an entry of the local store, which is read where it lies', () => {
  async function change(from: string, to: string): Promise<void> {
    for (const entry of await readdir(rig.storeFolder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/-g0\./.test(entry.name)) continue
      const path = join(entry.parentPath, entry.name)
      const bytes = await readFile(path)
      expect(bytes.includes(from)).toBe(true)
      await writeFile(path, bytes.toString('latin1').replaceAll(from, to), 'latin1')
    }
  }

  test.each([
    ['in a file', 'true content', 'evil content', /another digest/],
    ['in its record', '"log":[]', '"log":{}', /not readable|was changed/],
    ['in its list of files', '"path":"dist/a"', '"path":"dist/b"', /was changed/],
  ])('is of no use when it was changed %s', async (_, from, to, reason) => {
    await change(from, to)
    await expectRunsAnew(reason)
  })

  test('is of no use when it was signed by nobody and signatures are asked for', async () => {
    const seal = signedSeal({ secret: 'a secret of this test', writes: 'main', reads: ['main'] })
    const store = new LocalStore({ folder: rig.storeFolder, seal })
    const before = await rig.runs()
    expect(await rig.run(TASK, { store })).toMatchObject({ status: 'miss' })
    expect(await rig.runs()).toBe(before + 1)
  })

  test('comes back while others clear the store', async () => {
    await rm(join(rig.root, 'dist'), { recursive: true })
    const results = await Promise.all([
      rig.run(TASK),
      rm(rig.storeFolder, { recursive: true }).then(() => rig.run(TASK)),
      rig.run(TASK),
    ])
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    expect(await rig.read('dist/a')).toBe('true content')
  })
})

describe('a restore that fails', () => {
  test('leaves what was there and runs the task', async () => {
    await rig.write({ '.image-cache': 'a file stands where the folder should be' })
    await expectRunsAnew(/of no use: E?NOTDIR|of no use: .*(ENOTDIR|EEXIST)/)
  })

  test('of which two go on at once in one workspace does no harm', async () => {
    await rm(join(rig.root, 'dist'), { recursive: true })
    const results = await Promise.all([rig.run(TASK), rig.run(TASK), rig.run(TASK)])
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    expect(await rig.list()).toEqual(['dist/', 'dist/a', 'in.txt'])
    expect(await rig.read('dist/a')).toBe('true content')
  })
})
