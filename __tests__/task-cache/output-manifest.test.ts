import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { manifestProblem, type OutputEntry, outputsDigest } from '../../src/task-cache/output-manifest.ts'

function file(path: string, content = '', mode = 0o644): OutputEntry {
  return { kind: 'file', path, mode, size: content.length, digest: digestOf(content) }
}

function link(path: string, target: string): OutputEntry {
  return { kind: 'link', path, target }
}

const ANY = ['dist', 'a', 'A', 'é*', 'e*', 'link', '..', '/etc', 'x*']

describe('a list of outputs is refused', () => {
  test.each<[string, readonly OutputEntry[], RegExp]>([
    ['with an absolute path', [file('/etc/cron.d/x')], /absolute/],
    ['that leaves the workspace', [file('dist/../../x')], /leaves the workspace/],
    ['with a path that is not plain', [file('dist//x')], /not written as a plain path/],
    ['with a dot in its path', [file('dist/./x')], /not written as a plain path/],
    ['with a slash at the end', [file('dist/x/')], /not written as a plain path/],
    ['with a backslash', [file('dist\\..\\..\\x')], /leaves the workspace|other systems/],
    ['with a drive letter', [file('C:/x')], /absolute/],
    ['with a NUL', [file('dist/a\0')], /NUL/],
    ['with a path that was not declared', [file('src/main.ts')], /not declared/],
    ['that reaches into the history', [file('dist/.git/hooks/pre-commit')], /not declared/],
    ['with names that differ in case alone', [file('dist/A'), file('dist/a')], /clash/],
    ['with folders that differ in case alone', [file('dist/Sub'), file('dist/sub/x')], /no folder/],
    ['with two forms of one letter', [file('dist/\u00e9'), file('dist/e\u0301')], /clash/],
    ['with one path twice', [file('dist/a'), file('dist/a')], /clash/],
    ['with a file that is a folder as well', [file('dist/a'), file('dist/a/b')], /no folder/],
    ['with a file below a link', [link('dist/a', 'b'), file('dist/a/b')], /no folder/],
    ['with an absolute link', [link('dist/a', '/etc/passwd')], /points outside/],
    ['with a link that leaves', [link('dist/a', '../../secret')], /points outside/],
    ['with a link that leaves on a detour', [link('dist/a', 'b/../../../secret')], /points outside/],
    ['with a link to above the root', [link('link', '..')], /points outside/],
  ])('%s', (_, entries, problem) => {
    expect(manifestProblem(entries, ANY)).toMatch(problem)
  })

  test('and is taken with links that stay, folders and names of any letters', () => {
    const entries: readonly OutputEntry[] = [
      file('dist/a'),
      link('dist/b', 'a'),
      link('dist/sub/c', '../../src'),
      { kind: 'folder', path: 'dist/empty', mode: 0o755 },
      file('dist/ü Ö…'),
      file('dist/..b'),
    ]
    expect(manifestProblem(entries, ['dist'])).toBeUndefined()
  })
})

describe('the digest of outputs', () => {
  const base = [file('a', 'x'), link('b', 'a')]

  test.each<[string, readonly OutputEntry[]]>([
    ['content', [file('a', 'y'), link('b', 'a')]],
    ['mode', [file('a', 'x', 0o755), link('b', 'a')]],
    ['target of a link', [file('a', 'x'), link('b', 'c')]],
    ['path', [file('c', 'x'), link('b', 'a')]],
    ['number', [file('a', 'x')]],
    ['kind', [file('a', 'x'), file('b', 'a')]],
  ])('changes with their %s', (_, other) => {
    expect(outputsDigest(other, {})).not.toBe(outputsDigest(base, {}))
  })

  test('changes with the values, not with the order', () => {
    expect(outputsDigest(base, { v: '1' })).not.toBe(outputsDigest(base, { v: '2' }))
    expect(outputsDigest([...base].reverse(), {})).toBe(outputsDigest(base, {}))
  })
})
