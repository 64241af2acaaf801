import { describe, expect, test } from '@jest/globals'
import { type LockFacts, readPylock } from '../../src/python/pylock.ts'

const TARGET = { pythonVersion: '3.12', platform: 'linux/amd64' }
const A = 'a'.repeat(64)
const B = 'b'.repeat(64)
const C = 'c'.repeat(64)

function lockOf(...packages: readonly string[]): string {
  return ['lock-version = "1.0"', 'created-by = "test"', ...packages.map((text) => `[[packages]]\n${text}`)].join(
    '\n\n',
  )
}

function wheel(fileName: string, hash: string, more = ''): string {
  return `{ url = "https://index.example/f/${fileName}"${more}, hashes = { sha256 = "${hash}" } }`
}

describe('wheels for several C libraries', () => {
  const [older, newer, pure] = [
    wheel('debugpy-1-cp312-cp312-manylinux_2_17_x86_64.whl', A),
    wheel('debugpy-1-cp312-cp312-manylinux_2_34_x86_64.whl', B),
    wheel('debugpy-1-py3-none-any.whl', C),
  ]
  const read = (wheels: readonly string[], libc?: { atLeast: number; atMost: number }) => {
    const text = lockOf(`name = "debugpy"\nversion = "1"\nwheels = [${wheels.join(', ')}]`)
    const found = readPylock(text, { ...TARGET, ...(libc === undefined ? {} : { libc }) })
    if (found.kind === 'failed') throw new Error(found.reason)
    const [one] = found.packages
    return one === undefined ? found.unbuilt[0]?.reason : [one.wheel.fileName.split('-').slice(2).join('-'), one.hashes]
  }

  test('go to images that have them, and to no others', () => {
    const all = [older, newer, pure]
    expect(read(all, { atLeast: 36, atMost: 36 })).toEqual([
      'cp312-cp312-manylinux_2_34_x86_64.whl',
      [A, B, C].map((hash) => `sha256:${hash}`),
    ])
    expect(read(all, { atLeast: 31, atMost: 31 })).toEqual([
      'cp312-cp312-manylinux_2_17_x86_64.whl',
      [A, C].map((hash) => `sha256:${hash}`),
    ])
  })

  test('are not guessed where the image does not tell its own', () => {
    expect(read([newer, pure])).toMatch(/^debugpy 1 has other wheels for newer C libraries/)
    expect(read([older, pure])).toEqual(['cp312-cp312-manylinux_2_17_x86_64.whl', [`sha256:${A}`, `sha256:${C}`]])
  })
})

describe('readPylock', () => {
  test('takes the wheel that the target would take and keeps the hashes of all that fit', () => {
    const wheels = [
      wheel(
        'Foo_Bar-1.0-cp312-cp312-manylinux_2_17_x86_64.whl',
        A,
        ', upload-time = 2026-01-02T03:04:05Z, size = 1234',
      ),
      wheel('Foo_Bar-1.0-cp312-cp312-macosx_11_0_arm64.whl', B),
      wheel('Foo_Bar-1.0-py3-none-any.whl', C),
    ]
    const text = lockOf(
      `name = "Foo_Bar"\nversion = "1.0"\nmarker = "sys_platform != 'win32'"\nwheels = [${wheels.join(', ')}]`,
      `name = "abc"\nversion = "2"\nwheels = [${wheel('abc-2-py3-none-any.whl', B)}]`,
    )
    const facts = {
      dependencies: new Map([['foo-bar', ['elsewhere', 'abc']]]),
      sizes: new Map([['abc-2-py3-none-any.whl', 77]]),
    }
    expect(readPylock(text, TARGET, facts)).toEqual({
      kind: 'packages',
      packages: [
        {
          name: 'abc',
          version: '2',
          wheel: { fileName: 'abc-2-py3-none-any.whl', size: 77, uploadedAt: undefined },
          hashes: [`sha256:${B}`],
          dependencies: [],
        },
        {
          name: 'foo-bar',
          version: '1.0',
          wheel: { fileName: 'Foo_Bar-1.0-cp312-cp312-manylinux_2_17_x86_64.whl', size: 1234, uploadedAt: 1767323045 },
          hashes: [`sha256:${A}`, `sha256:${C}`],
          dependencies: ['abc'],
        },
      ],
      unbuilt: [],
      indexes: [],
      withoutIndex: ['foo-bar', 'abc'],
    })
  })

  test('leaves out packages that are not for the target', () => {
    const text = lockOf(
      `name = "colorama"\nversion = "1"\nmarker = "sys_platform == 'win32'"\nwheels = [${wheel('colorama-1-py3-none-any.whl', A)}]`,
    )
    expect(readPylock(text, TARGET)).toEqual({
      kind: 'packages',
      packages: [],
      unbuilt: [],
      indexes: [],
      withoutIndex: [],
    })
  })

  test('a local version in a URL is decoded', () => {
    const text = lockOf(
      `name = "torch"\nversion = "2.7.0+cpu"\nwheels = [${wheel('torch-2.7.0%2Bcpu-cp312-cp312-manylinux_2_28_x86_64.whl', A)}]`,
    )
    const read = readPylock(text, TARGET)
    expect(read.kind === 'packages' && read.packages[0]?.wheel.fileName).toBe(
      'torch-2.7.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl',
    )
  })

  test('accepts only wheels with a hash that the requirements pin', () => {
    const wheels = [wheel('a-1-cp312-cp312-manylinux_2_17_x86_64.whl', A), wheel('a-1-py3-none-any.whl', B)]
    const text = lockOf(`name = "a"\nversion = "1"\nwheels = [${wheels.join(', ')}]`)
    const read = readPylock(text, TARGET, { pinned: new Map([['a', [`sha256:${B}`]]]) })
    expect(read).toMatchObject({ packages: [{ wheel: { fileName: 'a-1-py3-none-any.whl' }, hashes: [`sha256:${B}`] }] })
    expect(readPylock(text, TARGET, { pinned: new Map([['a', [`sha256:${C}`]]]) })).toMatchObject({
      packages: [],
      unbuilt: [{ name: 'a', reason: 'a 1 has no wheel for linux/amd64 among the hashes that the requirements pin' }],
    })
  })

  test.each([
    [
      'only a source archive',
      'name = "Old_One"\nversion = "3"',
      'old-one 3 has no wheel for linux/amd64 with Python 3.12',
    ],
    [
      'a wheel for elsewhere',
      `name = "a"\nversion = "1"\nwheels = [${wheel('a-1-cp312-cp312-win_amd64.whl', A)}]`,
      'a 1 has no wheel',
    ],
    [
      'a git repository',
      'name = "a"\nvcs = { type = "git", url = "https://git.example/a", commit-id = "0" }',
      'version control',
    ],
    ['a folder', 'name = "a"\ndirectory = { path = "." }', 'a local folder'],
    ['a URL', `name = "a"\narchive = { url = "https://x.example/a.whl", hashes = { sha256 = "${A}" } }`, 'a URL'],
    [
      'no sha256',
      'name = "a"\nversion = "1"\nwheels = [{ url = "https://x.example/a-1-py3-none-any.whl" }]',
      'no sha256',
    ],
  ])('tells apart a package that has %s', (_, entry, reason) => {
    const read = readPylock(lockOf(entry), TARGET)
    expect(read).toMatchObject({ packages: [], unbuilt: [{ reason: expect.stringContaining(reason) }] })
  })

  test('says where local packages lie and which indexes are named', () => {
    const entries = [
      'name = "own"\ndirectory = { path = ".", editable = true }',
      `name = "a"\nversion = "1"\nindex = "https://one.example/"\nwheels = [${wheel('a-1-py3-none-any.whl', A)}]`,
      `name = "b"\nversion = "1"\nindex = "https://two.example/"\nwheels = [${wheel('b-1-py3-none-any.whl', B)}]`,
      `name = "c"\nversion = "1"\nindex = "https://two.example/"\nwheels = [${wheel('c-1-py3-none-any.whl', C)}]`,
    ]
    expect(readPylock(lockOf(...entries), TARGET)).toMatchObject({
      unbuilt: [{ name: 'own', folder: '.' }],
      indexes: ['https://two.example/', 'https://one.example/'],
    })
  })

  test.each([
    ['is no TOML', 'lock-version = ', 'no TOML'],
    [
      'has a package without a version',
      lockOf(`name = "a"\nwheels = [${wheel('a-1-py3-none-any.whl', A)}]`),
      'a has no version',
    ],
    ['is of another version', 'lock-version = "2.0"', '"2.0"'],
    [
      'holds a package twice',
      lockOf(...['1', '2'].map((v) => `name = "a"\nversion = "${v}"\nwheels = [${wheel('a-1-py3-none-any.whl', A)}]`)),
      'twice',
    ],
  ])('fails when the lock %s', (_, text, reason) => {
    expect(readPylock(text, TARGET)).toEqual({ kind: 'failed', reason: expect.stringContaining(reason) })
  })

  test('is read as an installer does: no extras, the default groups, the Python that it is for', () => {
    const entry = (name: string, marker: string): string =>
      `name = "${name}"\nversion = "1"\nindex = "https://index.example"\nmarker = ${JSON.stringify(marker)}\nwheels = [${wheel(`${name}-1-py3-none-any.whl`, A)}]`
    const text = `requires-python = ">=3.11"\ndefault-groups = ["dev"]\n${lockOf(
      entry('always', "python_version >= '3'"),
      entry('gpu', "'gpu' in extras"),
      entry('plain', "'gpu' not in extras and sys_platform == 'linux'"),
      entry('dev', "'Dev' in dependency_groups"),
      entry('docs', "'docs' in dependency_groups or 'gpu' in extras"),
    )}`
    const names = (facts: LockFacts, target = TARGET): readonly string[] | string => {
      const read = readPylock(text, target, facts)
      return read.kind === 'packages' ? read.packages.map(({ name }) => name) : read.reason
    }
    expect(names({ isInstalled: true })).toEqual(['always', 'dev', 'plain'])
    expect(names({})).toEqual(['always', 'dev', 'docs', 'gpu', 'plain'])
    expect(names({ isInstalled: true }, { ...TARGET, pythonVersion: '3.10.4' })).toBe(
      'the lock is for Python >=3.11, the image has 3.10.4',
    )
  })
})
