import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'

const CLI = resolve(import.meta.dirname, '../../dist/cli/index.js')
let folder: string

beforeEach(async () => {
  if (!existsSync(CLI)) throw new Error('dist/ is missing: run "npm run build"')
  folder = await mkdtemp(join(tmpdir(), 'tasks-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, 'work', path)), { recursive: true })
  await writeFile(join(folder, 'work', path), text)
}

function read(path: string): Promise<string> {
  return readFile(join(folder, 'work', path), 'utf8').catch(() => '')
}

/** Runs the command line in a workspace with a store of its own. */
async function cli(...args: readonly string[]) {
  const env = { HOME: join(folder, 'home'), XDG_CACHE_HOME: join(folder, 'cache'), GITHUB_ACTIONS: '', NO_COLOR: '1' }
  return await new SpawnExec().run(process.execPath, [CLI, ...args], { cwd: join(folder, 'work'), env })
}

describe('image-cache task', () => {
  const options = ['task', '--name', 'sum', '--input', 'a.txt', '--input', 'b.txt', '--output', 'sum.txt']

  beforeEach(async () => {
    await write('a.txt', '1\n')
    await write('b.txt', '2\n')
    await write('sum.sh', '#!/bin/sh\necho "adding $1"\necho run >> runs\ncat a.txt b.txt > sum.txt\n')
    await chmod(join(folder, 'work/sum.sh'), 0o755)
  })

  test('runs a command once for the same inputs, with its output on standard output', async () => {
    const first = await cli(...options, '--', './sum.sh', '--fast')
    expect([first.exitCode, first.stdout]).toEqual([0, expect.stringContaining('adding --fast\n')])
    expect(first.stderr).toMatch(/● sum: miss/)
    await rm(join(folder, 'work/sum.txt'))
    const second = await cli(...options, '--', './sum.sh', '--fast')
    expect(second.stdout).toContain('| adding --fast\n')
    expect(second.stderr).toMatch(/✓ sum: hit\. made on .*; saves \d/)
    expect([await read('sum.txt'), await read('runs')]).toEqual(['1\n2\n', 'run\n'])
    // Other arguments are another command.
    expect((await cli(...options, '--', './sum.sh', '--slow')).stderr).toMatch(/● sum: miss/)
  })

  test('ends with the exit code of the command', async () => {
    expect((await cli('task', '--name', 'x', '--', 'sh', '-c', 'exit 9')).exitCode).toBe(9)
    expect((await cli('task', '--name', 'x', '--', 'no-such-program')).exitCode).toBe(1)
  })

  test('prints the result alone as JSON', async () => {
    const run = await cli(...options, '--json', '--run', 'sh sum.sh', '--shell', 'sh')
    const result = JSON.parse(run.stdout)
    expect(result).toMatchObject({ name: 'sum', status: 'miss', exitCode: 0, key: expect.stringMatching(/^sha256:/) })
    expect(run.stderr).toContain('adding')
  })

  test('refuses wrong options all at once', async () => {
    const run = await cli('task', '--cache', 'sometimes', '--max-age', 'soon')
    expect([run.exitCode, run.stdout]).toEqual([1, ''])
    expect(run.stderr).toMatch(/E_INPUT: name: "" is empty.*; cache: "sometimes" .*; max-age: "soon" /)
    expect((await cli('task', '--colour')).exitCode).toBe(2)
  })
})

describe('image-cache tasks run', () => {
  beforeEach(async () => {
    await write('schema.txt', '# a remark\nfield\n')
    await write('src/app.txt', 'app\n')
    await write(
      'tasks.yml',
      `
defaults: {shell: sh}
tasks:
  codegen:
    run: echo codegen >> runs; sed '/^#/d' schema.txt > src/generated.txt
    inputs: schema.txt
    outputs: src/generated.txt
  bundle:
    needs: codegen
    run: echo bundle >> runs; cat src/*.txt > bundle.txt
    inputs: src
    outputs: bundle.txt
  check:
    needs: [bundle]
    run: echo check >> runs; cat bundle.txt
  other:
    run: echo other >> runs
`,
    )
  })

  async function ran(): Promise<readonly string[]> {
    const lines = (await read('runs')).split('\n').filter((line) => line !== '')
    await rm(join(folder, 'work/runs'), { force: true })
    return lines.sort()
  }

  test('runs a graph once, and nothing when nothing has changed', async () => {
    const first = await cli('tasks', 'run')
    expect([first.exitCode, first.stdout]).toEqual([0, ''])
    expect(first.stderr).toContain('4 tasks: 4 miss')
    expect(first.stderr).toContain('check | app\n')
    expect(await ran()).toEqual(['bundle', 'check', 'codegen', 'other'])
    expect(await read('bundle.txt')).toBe('app\nfield\n')

    for (const path of ['bundle.txt', 'src/generated.txt']) await rm(join(folder, 'work', path))
    const second = await cli('tasks', 'run')
    expect(second.stderr).toContain('4 tasks: 4 hit')
    expect([await ran(), await read('bundle.txt')]).toEqual([[], 'app\nfield\n'])
    // Kept logs are shown when they are asked for.
    expect(second.stderr).not.toContain('check | ')
    expect((await cli('tasks', 'run', '--logs', 'all')).stderr).toContain('check | | app\n')
  })

  test('does with the example what its README says', async () => {
    await cp(resolve(import.meta.dirname, '../../examples/tasks'), join(folder, 'work'), { recursive: true })
    expect((await cli('tasks', 'run')).stderr).toContain('3 tasks: 3 miss')
    for (const name of ['list', 'count', 'report']) await rm(join(folder, 'work', `${name}.txt`))
    expect((await cli('tasks', 'run')).stderr).toContain('3 tasks: 3 hit')
    expect(await read('report.txt')).toBe('words: 3\napple\noak\npear\n')
    await write('words/fruit.txt', '# Sweet\napple\npear\n')
    expect((await cli('tasks', 'run')).stderr).toContain('3 tasks: 1 miss, 2 hit')
  })

  test('cuts off early: a task that made what it made before leaves the others as hits', async () => {
    await cli('tasks', 'run')
    await ran()
    await write('schema.txt', '# another remark\nfield\n')
    const run = await cli('tasks', 'run')
    expect(await ran()).toEqual(['codegen'])
    expect(run.stderr).toContain('4 tasks: 1 miss, 3 hit')
    await write('schema.txt', 'another field\n')
    await cli('tasks', 'run')
    expect(await ran()).toEqual(['bundle', 'check', 'codegen'])
    expect(await read('bundle.txt')).toBe('app\nanother field\n')
  })

  test('runs what is named and what that needs', async () => {
    expect((await cli('tasks', 'run', 'bundle')).stderr).toContain('2 tasks: 2 miss')
    expect(await ran()).toEqual(['bundle', 'codegen'])
  })

  test('stops at a failure, or goes on with what does not need it', async () => {
    const text = await read('tasks.yml')
    await write('tasks.yml', text.replace('echo bundle >> runs;', 'echo broken; exit 3;'))
    const stopped = await cli('tasks', 'run', '--concurrency', '1', '--logs', 'failed')
    expect(stopped.exitCode).toBe(1)
    expect(stopped.stderr).toMatch(/bundle \| broken\n.*✗ bundle: failed, .*exit code 3/s)
    expect(stopped.stderr).toContain('- check: skipped. bundle failed')
    const went = await cli('tasks', 'run', '--keep-going', '--json')
    const { tasks } = JSON.parse(went.stdout)
    const statuses = tasks.map(({ name, status, exitCode }: Record<string, unknown>) => [name, status, exitCode])
    expect(statuses).toEqual([
      ['codegen', 'hit', 0],
      ['other', expect.stringMatching(/hit|miss/), 0],
      ['bundle', 'miss', 3],
      ['check', 'skipped', undefined],
    ])
  })

  test('makes everything anew when asked to', async () => {
    await cli('tasks', 'run')
    await ran()
    expect((await cli('tasks', 'run', '--overwrite')).stderr).toContain('4 tasks: 4 overwritten')
    expect(await ran()).toHaveLength(4)
  })

  test('says what is wrong before anything runs', async () => {
    await write('tasks.yml', 'a: {run: x, needs: b}\n')
    const run = await cli('tasks', 'run')
    expect([run.exitCode, run.stderr]).toEqual([
      1,
      expect.stringContaining('E_INPUT: tasks.yml: a: needs b, which is no task'),
    ])
    expect((await cli('tasks', 'run', '-f', 'none.yml')).stderr).toContain('E_INPUT: file: "none.yml" can\'t be read')
    expect((await cli('tasks', 'run', '--concurrency', 'many')).exitCode).toBe(2)
  })
})
