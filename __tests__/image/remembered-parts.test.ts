import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { compactFiles } from '../../src/image/compact-files.ts'
import type { KeyPart } from '../../src/image/key-parts.ts'
import { changedParts, decodeParts, encodeParts, rememberedParts } from '../../src/image/remembered-parts.ts'

const key = digestOf('key')

function tree(files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  const entries = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))
  return new Map(
    entries.map(([path, content]) => [path, path.endsWith('/') ? '' : `f644 ${digestOf(content).slice(7, 47)}`]),
  )
}

function changes(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): readonly string[] {
  const remembered = decodeParts(encodeParts(rememberedParts(key, 1, [], tree(before))))
  if (remembered === undefined) throw new Error('it could not be read back')
  return changedParts(remembered, [], tree(after)).map(({ name, what }) => `${name} ${what}`)
}

describe('what changed since an earlier key', () => {
  test('is nothing when nothing changed', () => {
    expect(changes({ a: '1', 'src/b': '2' }, { a: '1', 'src/b': '2' })).toEqual([])
  })

  test('is told by file: changed, new, gone', () => {
    const before = { a: '1', 'src/b': '2', 'src/c': '3' }
    expect(changes(before, { a: '1', 'src/b': 'x', 'src/d': '4' })).toEqual([
      'src/b changed',
      'src/c gone',
      'src/d new',
    ])
  })

  test('is told by part, with values that are kept as hashes alone', () => {
    const before: readonly KeyPart[] = [
      { name: 'target', value: 'app' },
      { name: 'build argument VERSION', value: 'private-1' },
      { name: 'label old', value: '1' },
    ]
    const text = encodeParts(rememberedParts(key, 1, before, tree({})))
    expect(text).not.toContain('private-1')
    const remembered = decodeParts(text)
    if (remembered === undefined) throw new Error('it could not be read back')
    const now: readonly KeyPart[] = [
      { name: 'target', value: 'app' },
      { name: 'build argument VERSION', value: 'private-2' },
      { name: 'label new', value: '1' },
    ]
    expect(changedParts(remembered, now, tree({}))).toEqual([
      { name: 'build argument VERSION', what: 'changed', isFile: false },
      { name: 'label new', what: 'new', isFile: false },
      { name: 'label old', what: 'gone', isFile: false },
    ])
  })

  test('is told by folder where there are too many files', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`data/${index}`, '1']))
    const before = { ...many, 'src/app.py': '1' }
    expect(changes(before, { ...before, 'data/77': '2' })).toEqual(['data/ changed'])
    expect(changes(before, { ...before, 'data/new': '2', 'src/app.py': '2' })).toEqual([
      'data/ changed',
      'src/app.py changed',
    ])
    expect(changes(before, { 'src/app.py': '1' })).toEqual(['data/ gone'])
    expect(changes({ 'src/app.py': '1' }, before)).toHaveLength(5000)
  })
})

describe('the list of files that is kept', () => {
  test('opens folders near the root first and never has more entries than it may', () => {
    const files = tree({
      ...Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`big/${index}`, '1'])),
      ...Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`small/deep/${index}`, '1'])),
      a: '1',
    })
    expect([...compactFiles(files, 20).keys()].sort()).toEqual([
      'a',
      'big/',
      ...[0, 1, 2, 3, 4].map((n) => `small/deep/${n}`),
    ])
    for (const most of [1, 2, 5, 10, 46, 100]) expect(compactFiles(files, most).size).toBeLessThanOrEqual(most)
    expect([...compactFiles(files, 1).keys()]).toEqual(['/'])
  })

  test('is small: 50,000 files make no more than 150 kB', () => {
    const files = tree(
      Object.fromEntries(
        Array.from({ length: 50_000 }, (_, n) => [`packages/p${n % 500}/src/module-${n}/index.ts`, `${n}`]),
      ),
    )
    expect(encodeParts(rememberedParts(key, 1, [], files)).length).toBeLessThan(150_000)
  })
})

const broken: readonly [string, string][] = [
  ['no JSON', '{'],
  ['a list', '[]'],
  ['another format', JSON.stringify({ format: 2, key, at: 1, parts: {}, files: {} })],
  ['no key', JSON.stringify({ format: 1, key: 'x', at: 1, parts: {}, files: {} })],
  ['numbers for hashes', JSON.stringify({ format: 1, key, at: 1, parts: { a: 1 }, files: {} })],
  ['no files', JSON.stringify({ format: 1, key, at: 1, parts: {} })],
]

test.each(broken)('an entry that is %s counts as nothing', (_, text) => {
  expect(decodeParts(text)).toBeUndefined()
})
