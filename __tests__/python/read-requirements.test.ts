import { describe, expect, test } from '@jest/globals'
import { mergeSettings, readRequirements } from '../../src/python/read-requirements.ts'

function reader(files: Readonly<Record<string, string>>): (path: string) => Promise<string | undefined> {
  return async (path) => files[path]
}

describe('readRequirements', () => {
  test('collects nested files, constraints and settings', async () => {
    const read = reader({
      'requirements.txt': '-r reqs/web.txt\nnumpy\n',
      'reqs/web.txt': '-c pins.txt\n--extra-index-url https://index.example/a\nfastapi\n',
      'reqs/pins.txt': 'fastapi<1\n',
      'more.txt': '--extra-index-url https://index.example/b\nidna\n',
      'top-pins.txt': 'numpy<3\n',
    })
    const found = await readRequirements(
      { requirements: ['requirements.txt', 'more.txt'], constraints: ['top-pins.txt'] },
      read,
    )
    expect(found.requirements.map((line) => line.text).sort()).toEqual(['fastapi', 'idna', 'numpy'])
    expect(found.constraints.map((line) => line.text).sort()).toEqual(['fastapi<1', 'numpy<3'])
    expect(found.settings).toEqual({ extraIndexUrls: ['https://index.example/a', 'https://index.example/b'] })
    expect(found.files).toEqual(['requirements.txt', 'reqs/web.txt', 'reqs/pins.txt', 'more.txt', 'top-pins.txt'])
    expect(found.obstacles).toEqual([])
  })

  test('ends a circle of files', async () => {
    const read = reader({ 'a.txt': '-r b.txt\none\n', 'b.txt': '-r a.txt\n-c a.txt\ntwo\n' })
    const found = await readRequirements({ requirements: ['a.txt'], constraints: [] }, read)
    expect(found.requirements.map((line) => line.name)).toEqual(['one', 'two'])
    expect(found.constraints.map((line) => line.name)).toEqual(['one'])
  })

  test('names the file and the line that ask for a file that is not there', async () => {
    const read = reader({ 'a.txt': 'one\n-r missing.txt\n-r ../outside.txt\n', '../outside.txt': 'never read\n' })
    const found = await readRequirements({ requirements: ['a.txt'], constraints: [] }, read)
    expect(found.obstacles).toEqual([
      { code: 'file-not-found', file: 'a.txt', line: 2, sentence: "the file missing.txt can't be read" },
      { code: 'file-not-found', file: 'a.txt', line: 3, sentence: "the file ../outside.txt can't be read" },
    ])
  })

  test('does not choose between two indexes', async () => {
    const read = reader({ 'a.txt': '-i https://index.example/a\n-r b.txt\n', 'b.txt': '-i https://index.example/b\n' })
    const found = await readRequirements({ requirements: ['a.txt'], constraints: [] }, read)
    expect(found.obstacles).toEqual([expect.objectContaining({ code: 'unknown-option', file: 'b.txt' })])
  })
})

describe('mergeSettings', () => {
  const command = {
    indexUrl: 'https://index.example/x',
    extraIndexUrls: ['https://index.example/a'],
    findLinks: [],
    preReleases: false,
  }

  test("a file's index replaces the command's, lists add up", () => {
    const files = {
      indexUrl: 'https://index.example/y',
      extraIndexUrls: ['https://index.example/a', 'https://index.example/b'],
      preReleases: true,
    }
    expect(mergeSettings(command, files)).toEqual({
      indexUrl: 'https://index.example/y',
      extraIndexUrls: ['https://index.example/a', 'https://index.example/b'],
      findLinks: [],
      preReleases: true,
    })
  })

  test('files that set nothing change nothing', () => {
    expect(mergeSettings(command, {})).toEqual(command)
  })
})
