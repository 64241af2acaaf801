import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readStats } from '../../src/content/entry-stat.ts'
import { type GitBlobs, gitBlobs } from '../../src/content/git-blobs.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'

let root = ''
const exec = new SpawnExec()

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'git-blobs-'))
  git('init', '--quiet', '--initial-branch=main')
})
afterEach(() => rm(root, { recursive: true }))

const quiet = ['-c', 'user.name=a', '-c', 'user.email=a@b.example', '-c', 'protocol.file.allow=always']

function git(...args: readonly string[]): void {
  execFileSync('git', [...quiet, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'ignore'] })
}

async function put(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), content)
}

/** Adds files that are older than the index by so much that its word for them is taken. */
async function commit(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await put(path, content)
    await utimes(join(root, path), 1e9, 1e9)
  }
  await delay(150)
  git('add', '--all')
  git('commit', '--quiet', '--message', 'all')
}

async function ask(paths: readonly string[], folder = root): Promise<GitBlobs> {
  return await gitBlobs(exec, folder, await readStats(folder, paths))
}

function idOnDisk(path: string): string {
  const content = readFileSync(join(root, path))
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
}

/** Files of which git's answer is another than what lies on the disk: none, ever. */
async function lies(paths: readonly string[]): Promise<readonly string[]> {
  const { ids } = await ask(paths)
  return paths.filter((path) => ids.has(path) && ids.get(path) !== idOnDisk(path))
}

describe('a clean work tree', () => {
  test('needs no reading: every id is that of the content', async () => {
    const files = {
      'a.py': 'one\n',
      empty: '',
      'src/deep/b.py': 'two\n',
      'with space': '3',
      'ümläut.txt': '4',
      '-x': '5',
    }
    await commit(files)
    const { ids, reason } = await ask(Object.keys(files))
    expect(reason).toBeUndefined()
    expect(Object.fromEntries(ids)).toEqual(
      Object.fromEntries(Object.keys(files).map((path) => [path, idOnDisk(path)])),
    )
  })

  test('answers for a folder in it by paths from there', async () => {
    await commit({ 'app/src/b.py': 'two\n', 'b.py': 'other\n' })
    const { ids } = await ask(['src/b.py'], join(root, 'app'))
    expect([...ids]).toEqual([['src/b.py', idOnDisk('app/src/b.py')]])
  })

  test('answers for a file that was staged and not committed', async () => {
    await commit({ a: 'one\n' })
    await put('a', 'staged\n')
    git('add', 'a')
    expect(await lies(['a'])).toEqual([])
  })

  test('answers for a file that only became executable: the mode is read elsewhere', async () => {
    await commit({ a: 'one\n' })
    await chmod(join(root, 'a'), 0o755)
    expect(await lies(['a'])).toEqual([])
  })
})

/** What may stand between git's ids and the disk. The file in question is `a`. */
const traps: readonly [string, () => Promise<unknown>][] = [
  [
    'changed to the same size',
    async () => {
      await commit({ a: 'one\n' })
      await put('a', 'two\n')
    },
  ],
  [
    'changed to the same size and its old time, where git was told to look at neither inode nor change time',
    async () => {
      git('config', 'core.checkStat', 'minimal')
      git('config', 'core.trustctime', 'false')
      await commit({ a: 'one\n' })
      await put('a', 'two\n')
      await utimes(join(root, 'a'), 1e9, 1e9)
    },
  ],
  [
    'changed right after it was added',
    async () => {
      await put('a', 'one\n')
      git('add', 'a')
      await put('a', 'two\n')
    },
  ],
  [
    'changed right after it was added, before the index was written once more',
    async () => {
      await put('a', 'one\n')
      git('add', 'a')
      await put('a', 'two\n')
      await delay(150)
      await put('b', 'b\n')
      git('add', 'b')
    },
  ],
  [
    'staged and changed again',
    async () => {
      await commit({ a: 'one\n' })
      await put('a', 'two\n')
      git('add', 'a')
      await put('a', 'six\n')
    },
  ],
  [
    'assumed to be unchanged',
    async () => {
      await commit({ a: 'one\n' })
      git('update-index', '--assume-unchanged', 'a')
      await put('a', 'two\n')
    },
  ],
  [
    'hidden as if outside of a sparse checkout',
    async () => {
      await commit({ a: 'one\n' })
      git('update-index', '--skip-worktree', 'a')
      await put('a', 'two\n')
    },
  ],
  [
    'put back after a sparse checkout left it out',
    async () => {
      await commit({ a: 'one\n', 'kept/b': 'b\n' })
      git('sparse-checkout', 'set', 'kept')
      await put('a', 'two\n')
    },
  ],
  [
    'checked out with other line ends (core.autocrlf)',
    async () => {
      await commit({ a: 'one\ntwo\n' })
      git('config', 'core.autocrlf', 'true')
      await rm(join(root, 'a'))
      git('checkout', '--', 'a')
      expect(readFileSync(join(root, 'a'), 'utf8')).toBe('one\r\ntwo\r\n')
    },
  ],
  [
    'checked out with other line ends (attribute)',
    async () => {
      await commit({ a: 'one\ntwo\n', '.gitattributes': '* text eol=crlf\n' })
      await rm(join(root, 'a'))
      git('checkout', '--', 'a')
      expect(readFileSync(join(root, 'a'), 'utf8')).toContain('\r')
    },
  ],
  [
    'written with line ends that git does away with',
    async () => {
      await commit({ a: 'one\ntwo\n', '.gitattributes': '* text=auto\n' })
      await put('a', 'one\r\ntwo\r\n')
      git('status')
    },
  ],
  [
    'checked out with a keyword filled in',
    async () => {
      await commit({ a: '$Id$\n', '.gitattributes': '* ident\n' })
      await rm(join(root, 'a'))
      git('checkout', '--', 'a')
      expect(readFileSync(join(root, 'a'), 'utf8')).toMatch(/\$Id: /)
    },
  ],
  [
    'made by a filter that keeps the size',
    async () => {
      git('config', 'filter.swap.clean', 'tr a-z b-za')
      git('config', 'filter.swap.smudge', 'tr b-za a-z')
      await commit({ '.gitattributes': 'a filter=swap\n', a: 'abc\n' })
    },
  ],
  [
    'made by a filter that a macro of the attributes names',
    async () => {
      git('config', 'filter.swap.clean', 'tr a-z b-za')
      await commit({ '.gitattributes': '[attr]big filter=swap\na big\n', a: 'abc\n' })
    },
  ],
  [
    'made by a filter that stands in .git/info/attributes',
    async () => {
      git('config', 'filter.swap.clean', 'tr a-z b-za')
      await put('.git/info/attributes', 'a filter=swap\n')
      await commit({ a: 'abc\n' })
    },
  ],
  [
    'in another encoding than in git',
    async () => {
      await commit({ '.gitattributes': 'a working-tree-encoding=UTF-16LE\n', a: Buffer.from('日本\n', 'utf16le') })
    },
  ],
  [
    'a file where git has a link of the same text',
    async () => {
      await symlink('target', join(root, 'a'))
      git('add', 'a')
      await rm(join(root, 'a'))
      await put('a', 'tarjet')
    },
  ],
  [
    'in conflict',
    async () => {
      await commit({ a: 'one\n' })
      git('checkout', '--quiet', '-b', 'other')
      await put('a', 'two\n')
      git('commit', '--quiet', '--all', '--message', 'two')
      git('checkout', '--quiet', 'main')
      await put('a', 'six\n')
      git('commit', '--quiet', '--all', '--message', 'six')
      expect(() => git('merge', 'other')).toThrow()
    },
  ],
  ['untracked', async () => put('a', 'new\n')],
  [
    'ignored by git',
    async () => {
      await commit({ '.gitignore': 'a\n' })
      await put('a', 'secret\n')
    },
  ],
]

describe('no answer is wrong for a file that is', () => {
  test.each(traps)('%s', async (_, prepare) => {
    await prepare()
    expect(await lies(['a'])).toEqual([])
  })
})

describe('what git can not tell is left to reading', () => {
  test('a name with a line end or a quote', async () => {
    await commit({ 'a\nb': 'x', 'say "hi"': 'y', plain: 'z' })
    const { ids } = await ask(['a\nb', 'say "hi"', 'plain'])
    expect([...ids.keys()]).toEqual(['plain'])
  })

  test('files of a submodule', async () => {
    await commit({ a: 'one\n' })
    git('clone', '--quiet', '--bare', '.', '.git/copy')
    git('submodule', '--quiet', 'add', join(root, '.git/copy'), 'sub')
    const { ids } = await ask(['a', 'sub/a'])
    expect([...ids.keys()]).toEqual(['a'])
  })

  test('a repository whose ids are SHA-256', async () => {
    await rm(join(root, '.git'), { recursive: true })
    git('init', '--quiet', '--object-format=sha256')
    await commit({ a: 'one\n' })
    expect([...(await ask(['a'])).ids]).toEqual([])
  })

  test('a folder without git, with the reason', async () => {
    await rm(join(root, '.git'), { recursive: true })
    await put('a', 'one\n')
    const { ids, reason } = await ask(['a'])
    expect([[...ids], reason]).toEqual([[], expect.stringContaining('not a git repository')])
  })

  test('a repository of another user, with the reason', async () => {
    await commit({ a: 'one\n' })
    // Only root can give a folder away; others can't come into this case.
    if (process.getuid?.() !== 0) return
    for (const path of ['', '.git']) await chown(join(root, path), 12_345, 12_345)
    const { ids, reason } = await ask(['a'])
    expect([[...ids], reason]).toEqual([[], expect.stringContaining('dubious ownership')])
  })
})

test('a program that the repository names is not run', async () => {
  await commit({ a: 'one\n' })
  const trace = join(root, 'ran')
  await put('monitor.sh', `#!/bin/sh\ntouch '${trace}'\n`)
  await chmod(join(root, 'monitor.sh'), 0o755)
  git('config', 'core.fsmonitor', join(root, 'monitor.sh'))
  await ask(['a'])
  expect(existsSync(trace)).toBe(false)
})

test('a file as old as the index is not believed: it may have changed in the same moment', async () => {
  await commit({ a: 'one\n' })
  expect((await ask(['a'])).ids.size).toBe(1)
  const { ctimeMs } = await stat(join(root, 'a'))
  await utimes(join(root, '.git/index'), ctimeMs / 1000, ctimeMs / 1000)
  expect((await ask(['a'])).ids.size).toBe(0)
})

test('the index is left as it is', async () => {
  await commit({ a: 'one\n' })
  await utimes(join(root, 'a'), 2e9, 2e9)
  const before = await stat(join(root, '.git/index'), { bigint: true })
  await ask(['a'])
  expect((await stat(join(root, '.git/index'), { bigint: true })).mtimeNs).toBe(before.mtimeNs)
})
