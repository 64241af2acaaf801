import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { selectFiles } from '../../src/task-cache/select-files.ts'
import { planSwap, removeEmptied, stagedPlaces, swapTree } from '../../src/task-cache/swap-tree.ts'
import { listTree, writeFiles } from '../support/task-rig.ts'

describe('outputs are exchanged', () => {
  let parent: string
  let root: string
  let fresh: string
  let staged: string
  let aside: string

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'swap-tree-'))
    root = join(parent, 'root')
    fresh = join(parent, 'fresh')
    staged = join(parent, 'staged')
    aside = join(parent, 'aside')
    for (const folder of [root, fresh, staged]) await mkdir(folder)
  })
  afterEach(() => rm(parent, { recursive: true, force: true }))

  async function swap(patterns: readonly string[]): Promise<void> {
    const [present, made] = [await selectFiles(root, patterns), await selectFiles(fresh, patterns)]
    const plan = planSwap(patterns, made.paths, present)
    const placeOf = stagedPlaces(staged, plan)
    for (const path of made.paths) {
      await mkdir(dirname(placeOf(path)), { recursive: true })
      await rename(join(fresh, path), placeOf(path))
    }
    swapTree(root, staged, aside, plan)
    removeEmptied(root, present.paths, new Set())
  }

  test('a folder in one step, with what is left over in it', async () => {
    await writeFiles(root, { 'dist/old': 'old', 'dist/a': 'old', 'src/x': '' })
    await writeFiles(fresh, { 'dist/a': 'new', 'dist/sub/b': 'new' })
    const plan = planSwap(['dist'], ['dist/a', 'dist/sub/b'], await selectFiles(root, ['dist']))
    expect(plan).toEqual({ whole: ['dist'], single: [] })
    await swap(['dist'])
    expect(await listTree(root)).toEqual(['dist/', 'dist/a', 'dist/sub/', 'dist/sub/b', 'src/', 'src/x'])
    expect(await readFile(join(root, 'dist/a'), 'utf8')).toBe('new')
  })

  test('file by file, where a pattern leaves others alone', async () => {
    await writeFiles(root, { 'out/a.o': 'old', 'out/gone.o': '', 'out/keep.txt': '', 'out/sub/gone.o': '' })
    await writeFiles(fresh, { 'out/a.o': 'new', 'out/new/b.o': '' })
    await swap(['out/**/*.o'])
    expect(await listTree(root)).toEqual(['out/', 'out/a.o', 'out/keep.txt', 'out/new/', 'out/new/b.o'])
    expect(await readFile(join(root, 'out/a.o'), 'utf8')).toBe('new')
  })

  test('without what patterns take out again', async () => {
    await writeFiles(root, { 'dist/a': 'old', 'dist/keep/x': 'kept' })
    await writeFiles(fresh, { 'dist/a': 'new' })
    await swap(['dist', '!dist/keep'])
    expect(await listTree(root)).toEqual(['dist/', 'dist/a', 'dist/keep/', 'dist/keep/x'])
  })

  test('without the history that lies among them', async () => {
    await writeFiles(root, { 'site/.git/HEAD': 'ref', 'site/old': '' })
    await writeFiles(fresh, { 'site/new': '' })
    await swap(['site'])
    expect(await listTree(root)).toEqual(['site/', 'site/.git/', 'site/.git/HEAD', 'site/new'])
  })

  test.each([
    ['a file by a folder', { out: 'file' }, { 'out/a': '' }, ['out/', 'out/a']],
    ['a folder by a file', { 'out/a': '' }, { out: 'file' }, ['out']],
    ['a link by a folder', { out: '-> elsewhere' }, { 'out/a': '' }, ['out/', 'out/a']],
    ['a folder by a link', { 'out/a': '' }, { out: '-> elsewhere' }, ['out -> elsewhere']],
    ['something by nothing', { 'out/a': '' }, {}, []],
    ['nothing by an empty folder', {}, { 'out/': '' }, ['out/']],
  ])('%s', async (_, before, after, expected) => {
    for (const patterns of [['out'], ['ou*']]) {
      await writeFiles(root, before as Readonly<Record<string, string>>)
      await writeFiles(fresh, after as Readonly<Record<string, string>>)
      await swap(patterns)
      expect(await listTree(root)).toEqual(expected)
      for (const folder of [root, fresh, staged, aside]) {
        await rm(folder, { recursive: true, force: true })
        await mkdir(folder)
      }
    }
  })

  test('not at all, when one of them leads out of the workspace', async () => {
    await mkdir(join(parent, 'outside'))
    await symlink('../outside', join(root, 'link'))
    await writeFiles(root, { 'dist/a': 'old' })
    await writeFiles(fresh, { 'dist/a': 'new', 'link/evil': 'evil' })
    await expect(swap(['dist', 'link/evil'])).rejects.toThrow('link is a link that leads out of the workspace')
    expect(await listTree(join(parent, 'outside'))).toEqual([])
    expect(await readFile(join(root, 'dist/a'), 'utf8')).toBe('old')
  })

  test('not at all, when a step in the middle fails', async () => {
    await writeFiles(root, { 'a/1': 'old', 'b/1': 'old', c: 'a file, where a folder should be' })
    await writeFiles(fresh, { 'a/1': 'new', 'b/1': 'new', 'c/d/e': 'new' })
    const before = await listTree(root)
    await expect(swap(['a', 'b', 'c/d/e'])).rejects.toThrow()
    expect(await listTree(root)).toEqual(before)
    expect(await readFile(join(root, 'a/1'), 'utf8')).toBe('old')
  })

  test('not at all, when a folder holds a file that is not theirs and a file should stand there', async () => {
    await writeFiles(root, { 'x.d/mine.txt': 'mine', 'x.d/a.o': 'old' })
    await writeFile(join(fresh, 'x.d'), 'new')
    await expect(swap(['x*', '!x.d/mine.txt'])).rejects.toThrow()
    expect(await listTree(root)).toEqual(['x.d/', 'x.d/a.o', 'x.d/mine.txt'])
  })
})
