import { spawn } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { NoStore } from '../../src/stores/no-store.ts'
import type { TaskDefinition } from '../../src/task-cache/define-task.ts'
import type { TaskSave } from '../../src/task-cache/task-deps.ts'
import { COUNT, startTaskRig, type TaskRig } from '../support/task-rig.ts'

let rig: TaskRig

beforeEach(async () => {
  rig = await startTaskRig()
})
afterEach(() => rig.close())

const BUILD: TaskDefinition = {
  name: 'build',
  run: `mkdir -p dist/sub dist/none\ncat in.txt > dist/out.txt\necho '#!' > dist/sub/run\nchmod 755 dist/sub/run\nln -s out.txt dist/link\necho building\n${COUNT}`,
  inputs: ['in.txt'],
  outputs: { files: ['dist'] },
}

describe('a task', () => {
  test('runs once for what it depends on, and its files come back as they were', async () => {
    await rig.write({ 'in.txt': 'content' })
    const first = await rig.run(BUILD)
    expect(first).toMatchObject({ status: 'miss', why: 'no earlier result of this task', exitCode: 0 })
    expect(first.kept).toMatchObject({ kind: 'kept' })
    const made = await rig.list()
    await rm(join(rig.root, 'dist'), { recursive: true })

    const second = await rig.run(BUILD)
    expect(second).toMatchObject({ status: 'hit', exitCode: 0, key: first.key, log: ['building'] })
    expect(second.outputsDigest).toBe(first.outputsDigest)
    expect(await rig.runs()).toBe(1)
    expect(await rig.list()).toEqual(made)
    expect(await rig.read('dist/out.txt')).toBe('content')
    expect((await stat(join(rig.root, 'dist/sub/run'))).mode & 0o777).toBe(0o755)
  })

  test('says who made a result and shows its log again, marked', async () => {
    await rig.write({ 'in.txt': 'content' })
    await rig.run({ ...BUILD, run: 'sleep 0.2; mkdir dist; echo "::error::seen"' })
    await rm(join(rig.root, 'dist'), { recursive: true })
    rig.shown.length = 0
    const { why, madeBy, savedSeconds, runSeconds } = await rig.run({
      ...BUILD,
      run: 'sleep 0.2; mkdir dist; echo "::error::seen"',
    })
    expect(why).toMatch(/^made on \d{4}-\d\d-\d\d \d\d:\d\d UTC by run 7 at commit 0123456789ab; saves 0\.\d\d s$/)
    expect(madeBy).toMatchObject({ run: 'run 7', commit: '0123456789abcdef' })
    expect(savedSeconds).toBeLessThan(runSeconds)
    expect(rig.shown).toEqual([`image-cache: build: hit, ${why}`, '| ::error::seen'])
  })

  test('runs again when an input changes, and says which', async () => {
    await rig.write({ 'in.txt': 'one', 'other.txt': '' })
    await rig.run(BUILD)
    await rm(join(rig.root, 'dist'), { recursive: true })
    await rig.write({ 'in.txt': 'two', 'other.txt': 'not declared' })
    expect(await rig.run(BUILD)).toMatchObject({ status: 'miss', why: 'input in.txt changed' })
    expect(await rig.read('dist/out.txt')).toBe('two')
  })

  test.each<[string, Partial<TaskDefinition>, string]>([
    ['its command', { run: `${BUILD.run} #` }, 'the command changed'],
    ['its shell', { shell: 'sh' }, 'shell bash -> sh'],
    ['a variable of its own', { env: { LEVEL: '2' } }, 'env LEVEL added'],
    ['what it declares', { outputs: { files: ['dist', 'other*'] } }, 'the declared inputs or outputs changed'],
    ['its version', { version: '2' }, 'version added'],
    ['its platform', { platform: 'linux/arm64' }, 'platform added'],
    ['its folder', { workingDirectory: 'sub' }, 'working-directory  -> sub'],
    ['its salt', { salt: 'new' }, 'no earlier result of this task'],
    ['its scope', { scope: 'pull/7' }, 'no earlier result of this task'],
    ['its name', { name: 'build 2' }, 'no earlier result of this task'],
  ])('runs again for a change of %s', async (_, change, why) => {
    const task = { ...BUILD, run: `mkdir -p "$PWD/dist"; ${COUNT}` }
    await rig.write({ 'in.txt': 'content', 'sub/x': '' })
    await rig.run(task)
    const changed = { ...task, ...change }
    const result = await rig.run(change.run === undefined ? changed : { ...changed, run: `${task.run} #` })
    expect(result).toMatchObject({ status: 'miss', why })
  })

  test.each([
    ['mode', () => chmod(join(rig.root, 'in.txt'), 0o755)],
    [
      'kind',
      async () => {
        await rm(join(rig.root, 'in.txt'))
        await rig.write({ 'other.txt': 'content', 'in.txt': '-> other.txt' })
      },
    ],
    ['absence', () => rm(join(rig.root, 'in.txt'))],
  ])('runs again for the %s of an input', async (_, change) => {
    await rig.write({ 'in.txt': 'content' })
    await rig.run({ ...BUILD, run: COUNT, outputs: {} })
    await change()
    expect(await rig.run({ ...BUILD, run: COUNT, outputs: {} })).toMatchObject({ status: 'miss' })
  })

  test('runs again for a new empty folder among its inputs', async () => {
    const task = { name: 't', run: COUNT, inputs: ['src'] }
    await rig.write({ 'src/a': '' })
    await rig.run(task)
    await mkdir(join(rig.root, 'src/empty'))
    expect(await rig.run(task)).toMatchObject({ status: 'miss', why: 'input src/empty added' })
  })

  test('does not take its own outputs for inputs', async () => {
    await rig.write({ 'in.txt': 'content' })
    const task = { ...BUILD, inputs: ['**'] }
    await rig.run(task)
    expect(await rig.run(task)).toMatchObject({ status: 'hit' })
  })

  test('depends on variables, on what commands print, and on texts', async () => {
    const task = { name: 't', run: COUNT, inputs: ['env:CUDA', 'env:PIP_*', 'cmd:cat ../tool', 'value:up=1'] }
    await rig.write({ '../tool': 'v1' })
    const env = { PATH: process.env.PATH, CUDA: '12.4', PIP_INDEX: 'a' }
    await rig.run(task, { env })
    expect(await rig.run(task, { env: { ...env, OTHER: 'x' } })).toMatchObject({ status: 'hit' })
    expect(await rig.run(task, { env: { ...env, CUDA: '12.6' } })).toMatchObject({ why: 'env CUDA 12.4 -> 12.6' })
    expect(await rig.run(task, { env: { ...env, PIP_INDEX: 'b' } })).toMatchObject({ why: 'env PIP_INDEX a -> b' })
    await rig.write({ '../tool': 'v2' })
    expect(await rig.run(task, { env })).toMatchObject({ why: 'cmd cat ../tool v1 -> v2' })
  })

  test('sees ignored inputs, and does not depend on them', async () => {
    const task = {
      name: 't',
      run: `cat src/a.md; echo $BUILD_ID; ${COUNT}`,
      inputs: ['src', 'env:BUILD_ID', 'cmd:date +%N'],
      ignoredInputs: ['src/*.md', 'env:BUILD_ID', 'cmd:date +%N'],
    }
    await rig.write({ 'src/a.md': 'one\n', 'src/b': '' })
    expect((await rig.run(task, { env: { ...rig.deps.env, BUILD_ID: '1' } })).log).toEqual(['one', '1'])
    await rig.write({ 'src/a.md': 'two' })
    expect(await rig.run(task, { env: { ...rig.deps.env, BUILD_ID: '2' } })).toMatchObject({
      status: 'hit',
      log: ['one', '1'],
    })
  })

  test('hands on its declared values, now and from what is kept', async () => {
    const run = `echo "one=1" >> $GITHUB_OUTPUT; printf 'two<<E\\na\\nb\\nE\\nthree=3\\n' >> $GITHUB_OUTPUT; ${COUNT}`
    const task = { name: 't', run, outputs: { values: ['one', 'two'] } }
    const first = await rig.run(task)
    expect(first.values).toEqual({ one: '1', two: 'a\nb' })
    expect(first.warnings).toEqual(['the value three is left out: it is not among the declared outputs'])
    expect(await rig.run(task)).toMatchObject({ status: 'hit', values: { one: '1', two: 'a\nb' } })
  })

  test.each<[string, readonly string[] | string]>([
    ['a program with arguments', ['sh', '-c', 'echo "$0 $1"', 'a b', 'c']],
    ['a script of another shell', 'echo a b c'],
  ])('may be %s', async (_, run) => {
    expect((await rig.run({ name: 't', run, ...(typeof run === 'string' ? { shell: 'sh -e {0}' } : {}) })).log).toEqual(
      ['a b c'],
    )
  })

  test('does not run and writes nothing when its outputs are there already', async () => {
    await rig.write({ 'in.txt': 'content' })
    await rig.run(BUILD)
    const before = await stat(join(rig.root, 'dist/out.txt'), { bigint: true })
    expect(await rig.run(BUILD)).toMatchObject({ status: 'hit' })
    expect((await stat(join(rig.root, 'dist/out.txt'), { bigint: true })).ctimeNs).toBe(before.ctimeNs)
  })

  test('loses outputs of another state when it hits', async () => {
    await rig.write({ 'in.txt': 'content' })
    await rig.run(BUILD)
    await rig.write({ 'dist/left-over': '', 'dist/out.txt': 'other' })
    expect(await rig.run(BUILD)).toMatchObject({ status: 'hit' })
    expect(await rig.list()).not.toContain('dist/left-over')
    expect(await rig.read('dist/out.txt')).toBe('content')
    expect(await rig.list()).not.toContain('.image-cache/')
  })

  test('is undisturbed by names that are strange', async () => {
    const task = {
      name: 't',
      run: `mkdir -p dist; echo x > "dist/a b ü '\\$(id)"; ${COUNT}`,
      outputs: { files: ['dist'] },
    }
    await rig.run(task)
    const before = await rig.list()
    await rm(join(rig.root, 'dist'), { recursive: true })
    expect(await rig.run(task)).toMatchObject({ status: 'hit' })
    expect(await rig.list()).toEqual(before)
  })
})

describe('the modes of the cache', () => {
  const task: TaskDefinition = { name: 't', run: `echo x > out; ${COUNT}`, outputs: { files: ['out'] } }

  test('disable: runs each time, reads and keeps nothing', async () => {
    for (const _ of [1, 2])
      expect(await rig.run({ ...task, cache: 'disable' })).toMatchObject({ status: 'disabled', key: undefined })
    expect(await rig.runs()).toBe(2)
    expect(await readdir(rig.storeFolder).catch(() => [])).toEqual([])
  })

  test('override: another command of the same version is a hit', async () => {
    await rig.run({ ...task, cache: 'override', version: '1' })
    expect(await rig.run({ ...task, run: 'false', cache: 'override', version: '1' })).toMatchObject({ status: 'hit' })
    expect(await rig.run({ ...task, cache: 'override', version: '2' })).toMatchObject({
      status: 'miss',
      why: 'version 1 -> 2',
    })
  })

  test('overwrite: runs, and the next run gets the new result', async () => {
    const dated = { ...task, run: `cat ../now > out; ${COUNT}` }
    await rig.write({ '../now': 'old' })
    await rig.run(dated)
    await rig.write({ '../now': 'new' })
    expect(await rig.run({ ...dated, overwrite: true })).toMatchObject({
      status: 'overwritten',
      kept: { kind: 'kept' },
    })
    await rm(join(rig.root, 'out'))
    expect(await rig.run(dated)).toMatchObject({ status: 'hit' })
    expect(await rig.read('out')).toBe('new')
    expect(await rig.runs()).toBe(2)
  })

  test('max-age: an old result is made anew, and so is one from the future', async () => {
    await rig.run(task)
    rig.wait(3600)
    expect(await rig.run({ ...task, maxAge: 3700 })).toMatchObject({ status: 'hit' })
    const old = await rig.run({ ...task, maxAge: 3500 })
    expect(old).toMatchObject({ status: 'miss', why: 'the kept result is older than 58 min 20 s' })
    rig.wait(-3600)
    const future = await rig.run({ ...task, maxAge: 3500 })
    expect(future).toMatchObject({ status: 'miss', why: 'the kept result claims to be from the future' })
    expect(await rig.run({ ...task, maxAge: 3500 })).toMatchObject({ status: 'hit' })
  })

  test('serialize: of several at once, one runs', async () => {
    const slow = { ...task, run: `sleep 0.5; echo x > out; ${COUNT}`, serialize: true }
    const results = await Promise.all([1, 2, 3].map((owner) => rig.run(slow, { owner: `job ${owner}` })))
    expect(results.map(({ status }) => status).sort()).toEqual(['miss', 'waited', 'waited'])
    expect(await rig.runs()).toBe(1)
  })

  test('policies: their answers are part of the version', async () => {
    const version = { now: 'a' }
    const policy = { name: 'lock', getVersion: ({ salt }: { salt: string }) => `${salt}${version.now}` }
    await rig.run({ ...task, policies: [policy] })
    expect(await rig.run({ ...task, run: `${task.run} `, policies: [policy] })).toMatchObject({ status: 'hit' })
    version.now = 'b'
    expect(await rig.run({ ...task, policies: [policy] })).toMatchObject({ why: 'policy lock a -> b' })
    expect(await rig.run({ ...task, policies: ['command', policy] })).toMatchObject({ status: 'miss' })
  })

  test('code: declared files are part of the version, imports that are not are told', async () => {
    await rig.write({
      'build.mjs': "import './lib/helper.mjs'\nimport 'node:fs'\nimport './known.mjs'",
      'known.mjs': '',
    })
    const code = { ...task, code: ['build.mjs', 'known.mjs'] }
    expect((await rig.run(code)).warnings).toEqual([
      'build.mjs imports ./lib/helper.mjs, which is not declared as code: its changes go unseen',
    ])
    await rig.write({ 'known.mjs': '//' })
    expect(await rig.run(code)).toMatchObject({ why: 'code known.mjs changed' })
  })
})

describe('a result is not kept', () => {
  const OUT = { files: ['out'] }

  async function reasonOf(task: TaskDefinition, deps = {}): Promise<string> {
    const { kept } = await rig.run(task, deps)
    const names = await readdir(rig.storeFolder).catch(() => [])
    expect(names.filter((name) => !name.startsWith('.'))).toEqual([])
    return kept?.kind === 'not-kept' ? kept.reason : `${kept?.kind}`
  }

  test('when the task fails; its exit code and values are its own', async () => {
    const task = {
      name: 't',
      run: `echo v=1 >> $GITHUB_OUTPUT; echo x > out; exit 3`,
      outputs: { files: ['out'], values: ['v'] },
    }
    expect(await reasonOf(task)).toBe('failures are not kept')
    expect(await rig.run(task)).toMatchObject({ status: 'miss', exitCode: 3, values: { v: '1' } })
  })

  test('when a command of the script fails in the middle', async () => {
    expect(await rig.run({ name: 't', run: 'false | true\necho on' })).toMatchObject({ exitCode: 1, log: [] })
  })

  test('when a signal ends the task', async () => {
    const result = await rig.run({ name: 't', run: 'echo x > out; kill -9 $$', outputs: OUT })
    expect(result).toMatchObject({ exitCode: 1, kept: { kind: 'not-kept' } })
    expect(result.warnings).toContain('the task was ended by SIGKILL')
  })

  test('when an input changes while the task runs', async () => {
    await rig.write({ 'in.txt': 'one' })
    const task = { name: 't', run: 'cat in.txt > out; echo two > in.txt', inputs: ['in.txt'], outputs: OUT }
    expect(await reasonOf(task)).toBe('in.txt changed while the task ran')
  })

  test('when an input appears while the task runs', async () => {
    await rig.write({ 'src/a': '' })
    expect(await reasonOf({ name: 't', run: 'echo x > src/b; echo x > out', inputs: ['src'], outputs: OUT })).toBe(
      'src/b changed while the task ran',
    )
  })

  test('when a declared output is not made', async () => {
    expect(await reasonOf({ name: 't', run: 'true', outputs: OUT })).toBe('the task did not make out')
    expect(await reasonOf({ name: 't', run: 'true', outputs: { values: ['v'] } })).toBe(
      'the task did not write the value v',
    )
  })

  test('when it is larger than it may be', async () => {
    const task = { name: 't', run: 'head -c 2000 /dev/zero > out', outputs: OUT, maxOutputSize: 1999 }
    expect(await reasonOf(task)).toBe('the outputs have 2 kB, more than max-output-size: 2 kB')
  })

  test.each([
    ['a link that leaves the workspace', 'ln -s /etc/passwd out', /points outside the workspace/],
    ['a link to above the workspace', 'ln -s ../../x out', /points outside the workspace/],
    ['names that clash', 'mkdir out; touch out/a out/A', /clash/],
    ['a pipe', 'mkfifo out', /is a pipe/],
  ])('when it holds %s', async (_, run, reason) => {
    expect(await reasonOf({ name: 't', run, outputs: OUT })).toMatch(reason)
  })

  test('when files lie among its outputs that the task did not write', async () => {
    await rig.write({ 'out/stale': 'from another time' })
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(await reasonOf({ name: 't', run: 'echo x > out/new', outputs: OUT })).toBe(
      'out/stale was there before the task ran and is not of its making',
    )
  })

  test('when the task speaks to later steps by other ways', async () => {
    await rig.write({ '../env': '' })
    const env = { ...rig.deps.env, GITHUB_ENV: join(rig.root, '../env') }
    expect(await reasonOf({ name: 't', run: 'echo A=1 >> $GITHUB_ENV' }, { env })).toMatch(/wrote to \$GITHUB_ENV/)
  })

  test('when a value is a secret', async () => {
    const task = { name: 't', run: 'echo v=hunter22 >> $GITHUB_OUTPUT', outputs: { values: ['v'] } }
    expect(await reasonOf(task, { secrets: ['hunter22'] })).toBe('the value v holds a secret')
  })

  test('when there is no place for the archive, or the store breaks down meanwhile', async () => {
    const breaks = (path: string): string => `rm -rf ${path}; echo x > ${path}; echo x > out`
    const temporary = join(rig.root, '../other-temp')
    await mkdir(temporary)
    expect(await rig.run({ name: 't', run: breaks('../other-temp'), outputs: OUT }, { temporary })).toMatchObject({
      status: 'miss',
      exitCode: 0,
      kept: { kind: 'not-kept', reason: expect.stringMatching(/ENOTDIR/) },
    })
    expect(await rig.run({ name: 't', run: breaks('../store'), outputs: OUT })).toMatchObject({
      status: 'miss',
      exitCode: 0,
      kept: { kind: 'not-kept', reason: expect.stringMatching(/^local store: /) },
    })
  })

  test('when there is no store; the task runs all the same', async () => {
    const task = { name: 't', run: 'echo x > out', outputs: OUT }
    const result = await rig.run(task, { store: new NoStore('switched off') })
    expect(result).toMatchObject({ status: 'unavailable', why: 'off store: switched off', exitCode: 0 })
    expect(await rig.read('out')).toBe('x\n')
  })

  test('when a command among the inputs fails: then there is no key', async () => {
    const result = await rig.run({ name: 't', run: 'echo ran', inputs: ['cmd: exit 4'] })
    expect(result).toMatchObject({
      status: 'unavailable',
      why: 'the input cmd: exit 4 ended with exit code 4',
      key: undefined,
    })
    expect(result.log).toEqual(['ran'])
  })

  test('when the run is cancelled', async () => {
    const stop = new AbortController()
    const running = rig.run({ name: 't', run: 'echo x > out; sleep 20', outputs: OUT }, { signal: stop.signal })
    setTimeout(() => stop.abort(), 300)
    await expect(running).rejects.toThrow(/cancelled/)
    expect(await readdir(rig.storeFolder).catch(() => [])).toEqual([])
    expect(await readdir(rig.temporary)).toEqual([])
  })
})

describe('secrets', () => {
  test('are not kept, nor shown again', async () => {
    const task = { name: 't', run: 'echo "token is hunter22"; echo "::add-mask::later-secret"; echo later-secret' }
    const secrets = ['hunter22']
    await rig.run(task, { secrets })
    rig.shown.length = 0
    await rig.run(task, { secrets })
    expect(rig.shown.slice(1)).toEqual(['| token is ***', '| ***'])
    for (const name of await readdir(rig.storeFolder, { recursive: true })) {
      const bytes = await readFile(join(rig.storeFolder, name)).catch(() => Buffer.alloc(0))
      expect(bytes.includes('hunter22') || bytes.includes('later-secret')).toBe(false)
    }
  })
})

describe('keeping later', () => {
  test('hands over an archive that stays, and a history', async () => {
    const saves: TaskSave[] = []
    const task = { name: 't', run: `echo x > out; ${COUNT}`, outputs: { files: ['out'] } }
    const result = await rig.run(task, { saveLater: (save) => saves.push(save) })
    expect(result.kept).toMatchObject({ kind: 'later' })
    for (const save of saves) {
      if ('file' in save) await rig.deps.store.saveFile(save.key, save.file)
      else await rig.deps.store.save(save.key, save.body)
    }
    expect(saves.length).toBe(2)
    expect(await rig.run(task)).toMatchObject({ status: 'hit' })
    expect(await rig.run({ ...task, run: `${task.run}#` })).toMatchObject({ why: 'the command changed' })
  })
})

describe('a task whose process is killed', () => {
  test('leaves no result, and nothing that hinders the next run', async () => {
    const program = join(import.meta.dirname, '../support/killed-task.ts')
    const child = spawn(process.execPath, [program, rig.root, rig.storeFolder, rig.temporary], { stdio: 'pipe' })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    const result = await rig.run({
      name: 'killed',
      run: 'mkdir -p dist; echo whole > dist/a',
      outputs: { files: ['dist'] },
    })
    expect(result).toMatchObject({ status: 'miss', why: 'no earlier result of this task', kept: { kind: 'kept' } })
  })
})
