import { describe, expect, test } from '@jest/globals'
import { readWheelSizes, resolveScript } from '../../src/python/resolve-script.ts'

const SETTINGS = { indexUrl: undefined, extraIndexUrls: [], findLinks: [], preReleases: false }
const INPUTS = {
  pythonVersion: '3.12',
  platform: 'linux/amd64',
  libc: { atLeast: 36, atMost: 36 },
  settings: SETTINGS,
  installer: 'uv',
  onlyBinary: [],
  hasConstraints: false,
} as const

describe('resolveScript', () => {
  test('asks for the target platform and its Python', () => {
    expect(resolveScript(INPUTS)).toContain(
      '--python-version 3.12 --python-platform x86_64-manylinux_2_36 --format pylock.toml',
    )
    expect(resolveScript({ ...INPUTS, platform: 'linux/arm64' })).toContain('--python-platform aarch64-manylinux_2_36')
  })

  test('passes settings on, quoted for the shell', () => {
    const settings = {
      indexUrl: 'https://index.example/simple?a=1&b=2',
      extraIndexUrls: ["https://index.example/o'brien"],
      findLinks: ['https://wheels.example/'],
      preReleases: true,
    }
    const script = resolveScript({ ...INPUTS, settings, onlyBinary: [':all:'], hasConstraints: true })
    expect(script).toContain("--index-url 'https://index.example/simple?a=1&b=2'")
    expect(script).toContain("--extra-index-url 'https://index.example/o'\\''brien'")
    expect(script).toContain('--find-links https://wheels.example/ --prerelease allow')
    expect(script).toContain('--only-binary :all:')
    expect(script).toContain('--constraints constraints.in')
  })

  test("follows pip's way with several indexes for pip alone", () => {
    expect(resolveScript({ ...INPUTS, installer: 'pip' })).toContain('--index-strategy unsafe-best-match')
    expect(resolveScript(INPUTS)).not.toContain('--index-strategy')
  })

  test('does not hide versions without wheels unless told to', () => {
    expect(resolveScript(INPUTS)).not.toContain('--only-binary')
  })
})

test('readWheelSizes takes whole lines only', () => {
  expect(readWheelSizes('123 a-1-py3-none-any.whl\n\nx b.whl\n45 c d.whl\n')).toEqual(
    new Map([
      ['a-1-py3-none-any.whl', 123],
      ['c d.whl', 45],
    ]),
  )
})
