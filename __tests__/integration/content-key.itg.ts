import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { LineRig } from '../support/line-rig.ts'

const minutes = 60_000
let rig: LineRig

beforeAll(async () => {
  rig = await LineRig.create()
  await rig.hubBase(1)
  await rig.hubBase(2)
  await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nARG WORD=none\nCOPY src /src\n')
  await rig.workspace.write('src/app.py', 'print(1)\n')
}, 5 * minutes)
afterAll(() => rig.close(), minutes)

function inputs(base: number, more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return rig.inputs('keys:v1', more, `base/hub:${base}`)
}

function options(base: number, ...more: readonly string[]): readonly string[] {
  const values = Object.entries(inputs(base)).filter(([name]) => name !== 'push')
  return [...values.flatMap(([name, value]) => [`--${name}`, value]), ...more]
}

describe('image-cache key', () => {
  test(
    'prints the key that the build has, and nothing else',
    async () => {
      const run = await rig.command('key', '.', ...options(1))
      expect(run.exitCode).toBe(0)
      expect(run.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/)
      const built = await rig.command('build', '.', '--push', '--json', ...options(1))
      expect(JSON.parse(built.stdout)['content-key']).toBe(run.stdout.trim())
    },
    minutes,
  )

  test(
    'explains its parts, and what changed since the last build',
    async () => {
      const same = await rig.command('key', '.', ...options(1), '--explain')
      expect(same.stdout).toMatch(/^ {2}base image python:3\.11-slim: sha256:/m)
      expect(same.stdout).toMatch(/^the same as in the last build \(/m)
      await rig.workspace.write('src/app.py', 'print(2)\n')
      const changed = await rig.command('key', '.', ...options(2, '--build-args', 'WORD=x'), '--explain')
      expect(changed.stdout.split('\n').slice(-5)).toEqual([
        expect.stringMatching(/^changed since the last build \(2/),
        '  changed src/app.py',
        '  changed base image python:3.11-slim',
        '  new build argument WORD',
        '',
      ])
      const { key, since, changes, parts, files } = JSON.parse(
        (await rig.command('key', '.', ...options(2), '--explain', '--json')).stdout,
      )
      expect([key, since.key].map((text) => /^sha256:/.test(text))).toEqual([true, true])
      expect(changes.map(({ name }: { name: string }) => name)).toEqual(['src/app.py', 'base image python:3.11-slim'])
      expect(parts).toMatchObject({ compression: 'zstd' })
      expect(Object.keys(files)).toEqual(['Dockerfile', 'src', 'src/app.py'])
    },
    minutes,
  )

  test(
    'ends with 1 when the content can not be told',
    async () => {
      const run = await rig.command('key', '.', '--build-contexts', 'python:3.11-slim=target:other')
      expect([run.exitCode, run.stdout]).toEqual([1, ''])
      expect(run.stderr).toMatch(/^error: E_CONTENT: the content can't be told: the named context /)
    },
    minutes,
  )
})

describe('the report of a build', () => {
  test(
    'says what a miss comes from, on the terminal and in a job',
    async () => {
      const command = await rig.command('build', '.', '--push', ...options(2))
      expect(command.stderr).toContain('\n  missed because: src/app.py, base image python:3.11-slim\n')
      const first = await rig.run(inputs(1))
      expect(first.summary).toContain('missed because: no earlier build of this image is remembered')
      await rig.workspace.write('src/app.py', 'print(3)\n')
      const second = await rig.run(inputs(2))
      expect(second.outputs.get('skipped')).toBe('false')
      expect(second.summary).toContain('missed because: src/app.py, base image python:3.11-slim')
      expect(second.stdout).toContain('  missed because: src/app.py, base image python:3.11-slim\n')
    },
    2 * minutes,
  )
})

describe('one key for one content', () => {
  test(
    'with git, without it, changed and put back, committed or not; of a tree that is large enough for threads and git',
    async () => {
      for (let n = 0; n < 3100; n += 1) await rig.workspace.write(`src/many/${n}.py`, `print(${n})\n`)
      await rig.workspace.write('.dockerignore', '.git\n')
      const keyNow = async (): Promise<string> =>
        (await rig.command('key', '.', ...options(1), '--store', 'off')).stdout
      const plain = await keyNow()
      expect(plain).toMatch(/^sha256:/)
      const git = (...args: readonly string[]): unknown =>
        execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], {
          cwd: rig.workspace.workspace,
          stdio: 'ignore',
        })
      git('init', '--quiet')
      git('add', '--all')
      expect(await keyNow()).toBe(plain)
      git('commit', '--quiet', '--message', 'all')
      expect(await keyNow()).toBe(plain)
      await rig.workspace.write('src/many/7.py', 'print(8)\n')
      const changed = await keyNow()
      expect(changed).not.toBe(plain)
      git('commit', '--quiet', '--all', '--message', 'changed')
      expect(await keyNow()).toBe(changed)
      await rig.workspace.write('src/many/7.py', 'print(7)\n')
      expect(await keyNow()).toBe(plain)
    },
    minutes,
  )
})
