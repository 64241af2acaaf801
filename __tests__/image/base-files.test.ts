import { describe, expect, test } from '@jest/globals'
import { type BaseFile, decodeBaseFiles, encodeBaseFiles, readBaseFiles } from '../../src/image/base-files.ts'
import { basePython } from '../../src/image/base-python.ts'

const file: BaseFile = { kind: 'file', mode: 0o644, uid: 0, gid: 0 }
const folder: BaseFile = { kind: 'folder', mode: 0o755, uid: 0, gid: 0 }
const SITE = 'usr/local/lib/python3.11/site-packages'
const FOLDERS = ['usr', 'usr/local', 'usr/local/bin', 'usr/local/lib', 'usr/local/lib/python3.11', SITE, 'usr/src']
const FILES = [
  ...['python', 'python3', 'python3.11', 'pip', 'pip3'].map((name) => `usr/local/bin/${name}`),
  'usr/local/lib/python3.11/os.py',
  `${SITE}/distutils-precedence.pth`,
]
const PACKAGES = [`${SITE}/pip-24.0.dist-info`, `${SITE}/setuptools-65.5.1.dist-info`]

function tree(more: Readonly<Record<string, BaseFile | undefined>> = {}): ReadonlyMap<string, BaseFile> {
  const all: Record<string, BaseFile | undefined> = {
    ...Object.fromEntries([...FOLDERS, ...PACKAGES].map((path) => [path, folder])),
    ...Object.fromEntries(FILES.map((path) => [path, file])),
    ...more,
  }
  return new Map(Object.entries(all).flatMap(([path, node]) => (node === undefined ? [] : [[path, node] as const])))
}

const packages = new Map([
  ['pip', '24.0'],
  ['setuptools', '65.5.1'],
])

describe('the files of a base image', () => {
  test('tell its Python and its packages', () => {
    expect(readBaseFiles(tree()).python).toEqual({ kind: 'found', version: '3.11', packages })
  })

  test.each([
    ['there is none', { 'usr/local/bin/python3.11': undefined }, 'no Python in /usr/local/bin'],
    ['there are two', { 'usr/local/bin/python3.12': file }, 'several Pythons'],
    ['its pip may be another’s', { 'usr/local/bin/pip': undefined }, 'no /usr/local/bin/pip'],
    ['another pip comes first', { 'usr/local/sbin/pip': file }, '/usr/local/sbin/pip'],
    ['its library is elsewhere', { 'usr/local/lib/python3.11/os.py': undefined }, 'not the library'],
    ['a folder is a link', { 'usr/local/lib': { ...file, kind: 'link' as const } }, '/usr/local/lib is no folder'],
    ['a folder is closed', { [SITE]: { ...folder, mode: 0o700 } }, 'site-packages is no folder with the usual'],
    ['a folder is a user’s', { 'usr/local': { ...folder, uid: 1000 } }, '/usr/local is no folder with the usual'],
    ['pip has settings', { 'etc/pip.conf': file }, '/etc/pip.conf'],
    ['uv has settings', { 'root/.config/uv/uv.toml': file }, 'uv.toml'],
    ['its C library is musl', { 'lib/ld-musl-x86_64.so.1': file }, 'musl'],
    ['something is installed in another way', { [`${SITE}/a.egg-info`]: folder }, 'a.egg-info'],
    ['something is linked in', { [`${SITE}/own.pth`]: file }, 'own.pth'],
    ['something runs at each start', { [`${SITE}/sitecustomize.py`]: file }, 'sitecustomize.py'],
    ['pip isn’t its own', { [`${SITE}/pip-24.0.dist-info`]: undefined }, 'its pip is elsewhere'],
  ])('tell no Python where %s', (_, more, reason) => {
    expect(readBaseFiles(tree(more)).python).toMatchObject({ kind: 'unknown', reason: expect.stringContaining(reason) })
  })

  test('tell what lies in /usr/src', () => {
    const { places } = readBaseFiles(tree({ 'usr/src/app': { ...folder, uid: 1000 }, 'usr/src/lib': folder }))
    expect(Object.fromEntries(places)).toEqual({
      '/usr': 'plain',
      '/usr/src': 'plain',
      '/usr/src/app': 'other',
      '/usr/src/lib': 'plain',
    })
  })

  test('are remembered as they are', () => {
    for (const files of [readBaseFiles(tree()), readBaseFiles(new Map())]) {
      expect(decodeBaseFiles(encodeBaseFiles(files))).toEqual(files)
    }
    expect(decodeBaseFiles('{"places":{},"python":{"kind":"found"}}')).toBeUndefined()
    expect(decodeBaseFiles('no text of ours')).toBeUndefined()
  })
})

describe('where the environment tells no Python', () => {
  const PATH = '/usr/local/sbin:/usr/local/bin:/usr/bin:/bin'
  const known = (more: Readonly<Record<string, BaseFile>> = {}, isolated = false, path = PATH) =>
    basePython({ env: { PATH: path }, history: [], files: readBaseFiles(tree(more)) }, undefined, isolated)

  test('that of the files counts', () => {
    expect(known()).toEqual({
      kind: 'known',
      version: '3.11',
      fullVersion: undefined,
      prefix: '/usr/local',
      interpreter: '/usr/local/bin/python3.11',
      shipped: packages,
    })
  })

  test('other packages are in the way of layers beside them, and of no others', () => {
    const more = { [`${SITE}/Flask_Cors-1.0.dist-info`]: folder }
    expect(known(more)).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('(flask-cors)') })
    expect(known(more, true)).toMatchObject({ kind: 'known' })
  })

  test('another folder on PATH may have another Python', () => {
    expect(known({}, false, '/opt/venv/bin:/usr/local/bin')).toMatchObject({ kind: 'unknown' })
  })
})
