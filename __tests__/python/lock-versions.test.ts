import { describe, expect, test } from '@jest/globals'
import { readLockVersions } from '../../src/python/lock-versions.ts'

const TOML = '[[package]]\nname = "NumPy"\nversion = "2.2.0"\n[[package]]\nname = "torch"\nversion = "2.7.0"\n'
const FORKED = `${TOML}[[package]]\nname = "torch"\nversion = "2.6.0"\n[[package]]\nname = "app"\nsource = { virtual = "." }\n`

describe('versions of a lock', () => {
  test.each([
    ['uv.lock', FORKED, { app: '', numpy: '2.2.0', torch: '2.6.0,2.7.0' }],
    ['poetry.lock', TOML, { numpy: '2.2.0', torch: '2.7.0' }],
    ['sub/pdm.lock', TOML, { numpy: '2.2.0', torch: '2.7.0' }],
    ['pylock.toml', TOML.replaceAll('[[package]]', '[[packages]]'), { numpy: '2.2.0', torch: '2.7.0' }],
    ['pylock.gpu.toml', TOML.replaceAll('[[package]]', '[[packages]]'), { numpy: '2.2.0', torch: '2.7.0' }],
    [
      'Pipfile.lock',
      JSON.stringify({ default: { numpy: { version: '==2.2.0' } }, develop: { pytest: { version: '==8' } } }),
      { numpy: '==2.2.0' },
    ],
    [
      'requirements.txt',
      '# pinned\nnumpy==2.2.0 \\\n  --hash=sha256:00\nZope.Interface[test] == 6.0 ; python_version > "3"\nidna\n-r more.txt\n',
      { numpy: '2.2.0', 'zope-interface': '6.0' },
    ],
  ])('are read from %s', (fileName, text, versions) => {
    expect(Object.fromEntries(readLockVersions(fileName, text) ?? [])).toEqual(versions)
  })

  test.each([
    ['uv.lock', '[[package'],
    ['Pipfile.lock', '{'],
  ])('are not known of a broken %s', (fileName, text) => {
    expect(readLockVersions(fileName, text)).toBeUndefined()
  })
})
