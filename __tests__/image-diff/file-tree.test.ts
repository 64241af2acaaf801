import { describe, expect, test } from '@jest/globals'
import { type FileNode, type LayerEntry, mergeLayers } from '../../src/image-diff/file-tree.ts'

const folder: FileNode = { kind: 'folder', mode: 0o755, uid: 0, gid: 0, content: '', size: 0 }

function file(path: string, content = 'x'): LayerEntry {
  return { what: 'node', path, node: { kind: 'file', mode: 0o644, uid: 0, gid: 0, content, size: 1 } }
}

function paths(...layers: readonly (readonly LayerEntry[])[]): readonly string[] {
  return [...mergeLayers(layers).keys()].sort()
}

describe('mergeLayers', () => {
  test('an upper layer’s file takes the place of a lower one’s', () => {
    expect(mergeLayers([[file('a', '1')], [file('a', '2')]]).get('a')?.content).toBe('2')
  })

  test('a whiteout hides a file, and a folder with all below it', () => {
    expect(paths([file('a'), file('d/x'), file('d/e/y')], [{ what: 'whiteout', path: 'a' }])).toEqual([
      'd',
      'd/e',
      'd/e/y',
      'd/x',
    ])
    expect(paths([file('a'), file('d/x'), file('d/e/y')], [{ what: 'whiteout', path: 'd' }])).toEqual(['a'])
  })

  test('a whiteout doesn’t hide names that only begin alike', () => {
    expect(paths([file('d/x'), file('d-2/y')], [{ what: 'whiteout', path: 'd' }])).toEqual(['d-2', 'd-2/y'])
  })

  test('an opaque folder hides what lower layers have in it, not what its own layer brings, in either order', () => {
    const upper: LayerEntry[] = [file('d/new'), { what: 'opaque', path: 'd' }]
    expect(paths([file('d/old')], upper)).toEqual(['d', 'd/new'])
    expect(paths([file('d/old')], upper.toReversed())).toEqual(['d', 'd/new'])
  })

  test('a whiteout beside a new file of the same name leaves the new one', () => {
    const upper: LayerEntry[] = [file('a', '2'), { what: 'whiteout', path: 'a' }]
    expect(mergeLayers([[file('a', '1')], upper]).get('a')?.content).toBe('2')
  })

  test('a file in a folder’s place takes away what was below it', () => {
    expect(paths([file('d/x')], [file('d')])).toEqual(['d'])
  })

  test('a folder again keeps what is in it and changes its own mode', () => {
    const closed = { what: 'node', path: 'd', node: { ...folder, mode: 0o700 } } as const
    const tree = mergeLayers([[file('d/x')], [closed]])
    expect([...tree.keys()].sort()).toEqual(['d', 'd/x'])
    expect(tree.get('d')?.mode).toBe(0o700)
  })

  test('a hard link has the content of the file that it names, also of a lower layer', () => {
    const tree = mergeLayers([[file('a', '1')], [{ what: 'hard-link', path: 'b', target: 'a' }]])
    expect(tree.get('b')).toEqual(tree.get('a'))
  })
})
