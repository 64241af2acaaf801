import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { compilePatterns, patternProblem, wholeOf } from '../../src/task-cache/file-patterns.ts'
import { selectFiles } from '../../src/task-cache/select-files.ts'
import { writeFiles } from '../support/task-rig.ts'

describe('files are selected by patterns', () => {
  let root: string

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'select-files-'))
    await writeFiles(root, {
      'a.py': '',
      'pkg/b.py': '',
      'pkg/b.md': '',
      'pkg/.env': '',
      'pkg/deep/c.py': '',
      'pkg/empty/': '',
      'pkg/link': '-> deep',
      'pages/[id].ts': '',
      'pages/i.ts': '',
      '.git/config': '',
      'vendor/.git/HEAD': '',
      'vendor/v.py': '',
      '.image-cache/restore/x.py': '',
    })
  })
  afterAll(() => rm(root, { recursive: true, force: true }))

  test.each<[string, readonly string[], readonly string[]]>([
    ['a path', ['a.py'], ['a.py']],
    ['a path with ./ before it', ['./pkg/b.py'], ['pkg/b.py']],
    [
      'a folder, for all that is in it',
      ['pkg'],
      ['pkg/.env', 'pkg/b.md', 'pkg/b.py', 'pkg/deep/c.py', 'pkg/empty', 'pkg/link'],
    ],
    ['a folder with a slash', ['pkg/deep/'], ['pkg/deep/c.py']],
    ['names of one folder', ['pkg/*.py'], ['pkg/b.py']],
    ['names in all folders', ['**/*.py'], ['a.py', 'pkg/b.py', 'pkg/deep/c.py', 'vendor/v.py']],
    [
      'folders by glob, for all that is in them',
      ['p*g'],
      ['pkg/.env', 'pkg/b.md', 'pkg/b.py', 'pkg/deep/c.py', 'pkg/empty', 'pkg/link'],
    ],
    ['one of several names', ['pkg/b.{md,py}'], ['pkg/b.md', 'pkg/b.py']],
    [
      'names with a dot before them',
      ['pkg/*'],
      ['pkg/.env', 'pkg/b.md', 'pkg/b.py', 'pkg/deep/c.py', 'pkg/empty', 'pkg/link'],
    ],
    ['a name that looks like a glob', ['pages/[id].ts'], ['pages/[id].ts', 'pages/i.ts']],
    ['all but some', ['**/*.py', '!pkg/**'], ['a.py', 'vendor/v.py']],
    ['all but some, whatever the order', ['!pkg', '**/*.py'], ['a.py', 'vendor/v.py']],
    ['nothing of the history', ['.git', 'vendor'], ['vendor/v.py']],
    [
      'what is there twice only once',
      ['pkg', 'pkg/b.py', '**/b.py'],
      ['pkg/.env', 'pkg/b.md', 'pkg/b.py', 'pkg/deep/c.py', 'pkg/empty', 'pkg/link'],
    ],
  ])('%s', async (_, patterns, expected) => {
    expect((await selectFiles(root, patterns)).paths).toEqual(expected)
  })

  test('without those that others make', async () => {
    expect((await selectFiles(root, ['**/*.py'], ['pkg/deep'])).paths).toEqual(['a.py', 'pkg/b.py', 'vendor/v.py'])
    expect((await selectFiles(root, ['pkg'], ['pkg/**', '!pkg/b.py'])).paths).toEqual(['pkg/b.py'])
  })

  test('and patterns that name nothing are told', async () => {
    expect((await selectFiles(root, ['a.py', 'b.py', 'src/**', '!none'])).unmatched).toEqual(['b.py', 'src/**'])
  })

  test('and folders that are shut are told', async () => {
    expect((await selectFiles(root, ['vendor', 'pkg', '!pkg/deep'])).shut).toEqual(['pkg/deep', 'vendor/.git'])
  })
})

test.each([
  ['/etc/passwd', /absolute/],
  ['C:\\x', /absolute/],
  ['../x', /leaves/],
  ['a/../../x', /leaves/],
  ['!../x', /leaves/],
  ['', /empty/],
  ['!', /empty/],
  ['a\0b', /NUL/],
])('the pattern %j is refused', (pattern, problem) => {
  expect(patternProblem(pattern)).toMatch(problem)
})

test('a pattern of the whole workspace begins at its root', () => {
  expect(compilePatterns(['.']).bases).toEqual([''])
  expect(compilePatterns(['src/**/*.ts', 'src/a', 'docs/x.md']).bases).toEqual(['docs/x.md', 'src'])
})

test.each([
  ['dist', 'dist'],
  ['./dist/', 'dist'],
  ['a/b/**', 'a/b'],
  ['a/./b//**', 'a/b'],
  ['**', undefined],
  ['a/*/**', undefined],
  ['a/**/**', undefined],
  ['a/**/b', undefined],
])('%s stands for all of %s', (pattern, whole) => {
  expect(wholeOf(pattern)).toBe(whole)
})

test('a folder with all that is in it is meant alike with and without its glob', () => {
  const [named, globbed] = [compilePatterns(['a/b']), compilePatterns(['a/b/**'])]
  for (const path of ['a/b', 'a/b/c', 'a/b/.c/d', 'a/b/c\nd', 'a', 'a/bc', 'b']) {
    expect([path, globbed.matches(path)]).toEqual([path, named.matches(path)])
  }
  expect(globbed.bases).toEqual(named.bases)
})
