import { chmod, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
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
