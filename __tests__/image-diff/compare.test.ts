import { describe, expect, test } from '@jest/globals'
import { compareConfigs } from '../../src/image-diff/compare-config.ts'
import { compareTrees } from '../../src/image-diff/compare-trees.ts'
import type { FileNode } from '../../src/image-diff/file-tree.ts'

const file: FileNode = { kind: 'file', mode: 0o644, uid: 0, gid: 0, content: 'a', size: 1 }
const folder: FileNode = { ...file, kind: 'folder', mode: 0o755, content: '', size: 0 }
const link: FileNode = { ...file, kind: 'link', content: 'there' }

function compare(path: string, a: FileNode | undefined, b: FileNode | undefined): ReturnType<typeof compareTrees> {
  const tree = (node: FileNode | undefined) => new Map(node === undefined ? [] : [[path, node] as const])
  return compareTrees(tree(a), tree(b))
}

describe('compareTrees', () => {
  test.each<[string, FileNode | undefined, FileNode | undefined, readonly string[], string]>([
    ['only one has it', file, undefined, ['only-in-a'], 'only the first image has this file'],
    ['only the other has it', undefined, folder, ['only-in-b'], 'only the second image has this folder'],
    ['the kind', file, link, ['kind'], 'kind file, link'],
    ['the mode', file, { ...file, mode: 0o755 }, ['mode'], 'mode 644, 755'],
    ['the owner', file, { ...file, uid: 7, gid: 8 }, ['owner'], 'owner 0:0, 7:8'],
    ['the group alone', file, { ...file, gid: 8 }, ['owner'], 'owner 0:0, 0:8'],
    ['where a link leads', link, { ...link, content: 'here' }, ['target'], 'target there, here'],
    ['the content', file, { ...file, content: 'b', size: 2 }, ['content'], 'content of 1, 2 bytes'],
    [
      'mode and content',
      file,
      { ...file, content: 'b', mode: 0o600 },
      ['mode', 'content'],
      'mode 644, 600; content of 1, 1 bytes',
    ],
  ])('finds that %s differs', (_, a, b, aspects, detail) => {
    expect(compare('app/x', a, b).differences).toEqual([{ path: '/app/x', aspects, detail }])
  })

  test('finds nothing in equal trees', () => {
    expect(compare('app/x', file, { ...file })).toEqual({ differences: [], ignored: new Map() })
  })

  const other = { ...file, content: 'b' }
  test.each<[string, string, FileNode | undefined, FileNode | undefined, boolean]>([
    ['bytecode with other bytes', 'l/__pycache__/a.cpython-311.pyc', file, other, true],
    ['bytecode that is missing', 'l/__pycache__/a.cpython-311.pyc', file, undefined, false],
    ['bytecode with another mode', 'l/__pycache__/a.cpython-311.pyc', file, { ...other, mode: 0o600 }, false],
    ['bytecode of Python’s own library', 'usr/local/lib/python3.11/json/__pycache__/a.pyc', file, undefined, true],
    ['bytecode of a package', 'usr/local/lib/python3.11/site-packages/a/__pycache__/a.pyc', file, undefined, false],
    ['who installed a package', 'l/a-1.dist-info/INSTALLER', file, undefined, true],
    ['a list of installed files', 'l/a-1.dist-info/RECORD', file, other, true],
    ['a list of installed files that is missing', 'l/a-1.dist-info/RECORD', file, undefined, false],
    ['what a package says of itself', 'l/a-1.dist-info/METADATA', file, other, false],
    ['where a package came from', 'l/a-1.dist-info/direct_url.json', file, undefined, false],
    ['pip’s cache', 'root/.cache/pip/http/a', file, undefined, true],
    ['another cache', 'root/.cache/huggingface/a', file, undefined, false],
    ['an empty lock file', 'app/.venv/.lock', { ...file, size: 0 }, undefined, true],
    ['a lock file with content', 'app/.lock', file, undefined, false],
    ['a mount point', 'proc', folder, undefined, true],
    ['names of hosts', 'etc/hosts', file, undefined, false],
    ['a log', 'var/log/dpkg.log', file, other, true],
    ['a console script', 'usr/local/bin/tool', file, other, false],
  ])('%s', (_, path, a, b, isNoise) => {
    const { differences, ignored } = compare(path, a, b)
    expect(differences).toHaveLength(isNoise ? 0 : 1)
    expect([...ignored.values()]).toEqual(isNoise ? [1] : [])
  })
})

describe('compareTrees of console scripts', () => {
  type Links = Readonly<Record<string, string>>
  const tree = (program: string, links: Links) =>
    new Map<string, FileNode>([
      ['usr/local/bin/tool', { ...file, program }],
      ...Object.entries(links).map(([path, content]) => [path, { ...link, content }] as const),
    ])
  const links = { 'usr/local/bin/python': 'python3', 'usr/local/bin/python3': '/usr/local/bin/python3.12' }

  const other = { ...links, 'usr/local/bin/python3': 'python3.11' }
  const circle = { 'usr/local/bin/python': 'python3', 'usr/local/bin/python3': 'python' }
  const environment = { ...links, 'venv/bin/python': '/usr/local/bin/python3.12' }

  test.each<[string, Links, string, Links, boolean]>([
    ['a link and what it leads to', links, '/usr/local/bin/python3.12', links, true],
    ['two names that nothing links', {}, '/usr/local/bin/python3.12', {}, false],
    ['one name whose links lead elsewhere in the other', links, '/usr/local/bin/python3', other, false],
    ['an environment’s own link to the same program', environment, '/venv/bin/python', environment, false],
    ['links in a circle', circle, '/usr/local/bin/python3.12', circle, false],
  ])('%s', (_, linksOfA, program, linksOfB, isSame) => {
    const { differences } = compareTrees(tree('/usr/local/bin/python', linksOfA), tree(program, linksOfB))
    const scripts = differences.filter(({ path }) => path === '/usr/local/bin/tool')
    expect(scripts.map(({ aspects }) => aspects)).toEqual(isSame ? [] : [['program']])
  })
})

describe('compareConfigs', () => {
  const config = { Env: ['A=1'], Cmd: ['x'], Labels: { a: '1', b: '2' } }

  test('looks at every field of the configuration and at the platform', () => {
    const a = { architecture: 'amd64', os: 'linux', config: { ...config, Unknown: 1 } }
    const b = { architecture: 'arm64', os: 'linux', config: { ...config, Env: ['A=2'] } }
    expect(compareConfigs(a, b)).toEqual([
      { field: 'Env', a: '["A=1"]', b: '["A=2"]' },
      { field: 'Unknown', a: '1', b: undefined },
      { field: 'architecture', a: '"amd64"', b: '"arm64"' },
    ])
  })

  test('the order of names, what is empty, and how the image was made don’t count', () => {
    const a = {
      config: { ...config, Entrypoint: null, User: '' },
      history: [1],
      created: 'x',
      rootfs: { diff_ids: ['a'] },
    }
    const b = { config: { Labels: { b: '2', a: '1' }, Env: ['A=1'], Cmd: ['x'], Volumes: {} } }
    expect(compareConfigs(a, b)).toEqual([])
  })

  test('the order of a command’s words and of variables counts', () => {
    expect(compareConfigs({ config: { Cmd: ['a', 'b'] } }, { config: { Cmd: ['b', 'a'] } })).toHaveLength(1)
  })
})
