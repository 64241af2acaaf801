import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { hashContext, readIgnoreFile } from '../../src/image/context-hash.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'context-'))
  await mkdir(join(folder, 'app'))
  await writeFile(join(folder, 'app/main.py'), 'print(1)\n', { mode: 0o644 })
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\n')
  await symlink('main.py', join(folder, 'app/link.py'))
})

afterEach(() => rm(folder, { recursive: true }))

async function digest(patterns = ''): Promise<string> {
  return (await hashContext(folder, patterns)).digest
}

describe('the hash of a context changes', () => {
  const changes: readonly [string, () => Promise<unknown>][] = [
    ['when a file is edited', () => writeFile(join(folder, 'app/main.py'), 'print(2)\n')],
    ['when a file becomes executable', () => chmod(join(folder, 'app/main.py'), 0o755)],
    ['when a file is renamed', () => rename(join(folder, 'app/main.py'), join(folder, 'app/other.py'))],
    ['when an empty folder appears', () => mkdir(join(folder, 'empty'))],
    ['when an empty file appears', () => writeFile(join(folder, 'app/__init__.py'), '')],
    [
      'when a link points elsewhere',
      async () => {
        await rm(join(folder, 'app/link.py'))
        await symlink('nowhere', join(folder, 'app/link.py'))
      },
    ],
    [
      'when a link becomes a file of the same text',
      async () => {
        await rm(join(folder, 'app/link.py'))
        await writeFile(join(folder, 'app/link.py'), 'main.py')
      },
    ],
  ]
  test.each(changes)('%s', async (_, change) => {
    const before = await digest()
    await change()
    expect(await digest()).not.toBe(before)
  })
})

test('times leave the hash as it is', async () => {
  const before = await digest()
  await utimes(join(folder, 'app/main.py'), 1, 1)
  expect(await digest()).toBe(before)
})

test('ignored files leave the hash as it is, files that an exception brings back do not', async () => {
  const patterns = '**/*.log\nbuild\n!build/keep.txt\n'
  const before = await digest(patterns)
  await mkdir(join(folder, 'build'))
  await writeFile(join(folder, 'build/junk.txt'), 'x')
  await writeFile(join(folder, 'app/debug.log'), 'x')
  expect(await digest(patterns)).toBe(before)
  await writeFile(join(folder, 'build/keep.txt'), 'x')
  expect(await digest(patterns)).not.toBe(before)
})

test('an ignore file beside the Dockerfile goes before the one of the context', async () => {
  await writeFile(join(folder, '.dockerignore'), 'general')
  expect(await readIgnoreFile(folder, join(folder, 'Dockerfile'))).toBe('general')
  await writeFile(join(folder, 'Dockerfile.dockerignore'), 'special')
  expect(await readIgnoreFile(folder, join(folder, 'Dockerfile'))).toBe('special')
})

test('the mode of an ignored folder counts when an exception brings something in it back', async () => {
  const patterns = 'build\n!build/deep/keep.txt\n'
  await mkdir(join(folder, 'build/deep'), { recursive: true })
  await writeFile(join(folder, 'build/deep/keep.txt'), 'x')
  const before = await digest(patterns)
  await chmod(join(folder, 'build'), 0o700)
  expect(await digest(patterns)).not.toBe(before)
})

test('a pipe is named and never read', async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')])
  const { entries } = await hashContext(folder, '')
  expect(entries.get('pipe')).toMatch(/^s/)
})

describe('the same tree has the same hash', () => {
  const many = Array.from({ length: 3100 }, (_, index) => `many/${index}.txt`)

  test('by content, on threads, from git, and from hashes of an earlier run', async () => {
    await mkdir(join(folder, 'many'))
    for (const path of many) await writeFile(join(folder, path), `${path}\n`)
    const plain = await digest()
    const git = (...args: readonly string[]): Buffer =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], { cwd: folder })
    git('init', '--quiet')
    git('add', '--all')
    git('commit', '--quiet', '--message', 'all')
    const exec = new SpawnExec()
    const clock = { now: () => Date.now() + 3_600_000 }
    const statFolder = join(folder, '.git/stats')
    expect((await hashContext(folder, '.git', { exec })).digest).toBe(plain)
    for (const _ of ['fills the cache', 'reads it']) {
      expect((await hashContext(folder, '.git', { statFolder, clock })).digest).toBe(plain)
    }
    await writeFile(join(folder, 'many/7.txt'), 'MANY/7.txt\n')
    await chmod(join(folder, 'many/8.txt'), 0o600)
    const changed = await digest('.git')
    expect(changed).not.toBe(plain)
    expect((await hashContext(folder, '.git', { exec, statFolder, clock })).digest).toBe(changed)
  }, 60_000)
})

/** A small tree: paths with content, and whether a file is executable. */
const trees = fc.dictionary(
  fc.constantFrom('a', 'b', 'd/a', 'd/b', 'd/e/a', 'ab'),
  fc.record({ content: fc.string({ maxLength: 3 }), executable: fc.boolean() }),
)

test('any two trees share a hash exactly when they are the same', async () => {
  const hashOf = async (tree: Readonly<Record<string, { content: string; executable: boolean }>>, reverse: boolean) => {
    const root = await mkdtemp(join(tmpdir(), 'tree-'))
    const files = Object.entries(tree)
    for (const [path, { content, executable }] of reverse ? files.reverse() : files) {
      await mkdir(join(root, path, '..'), { recursive: true })
      await writeFile(join(root, path), content)
      await chmod(join(root, path), executable ? 0o755 : 0o644)
    }
    const { digest: hashed } = await hashContext(root, '')
    await rm(root, { recursive: true })
    return hashed
  }
  const canonical = (tree: object): string => JSON.stringify(Object.entries(tree).sort(([a], [b]) => (a < b ? -1 : 1)))
  await fc.assert(
    fc.asyncProperty(trees, trees, async (one, other) => {
      const [first, again, second] = [await hashOf(one, false), await hashOf(one, true), await hashOf(other, false)]
      expect(again).toBe(first)
      expect(first === second).toBe(canonical(one) === canonical(other))
    }),
    { numRuns: 60 },
  )
}, 60_000)
