import { describe, expect, test } from '@jest/globals'
import { decodeLock, encodeLock } from '../../src/python/remembered-resolution.ts'

const PACKAGES = [
  {
    name: 'a',
    version: '1',
    wheel: { fileName: 'a-1-py3-none-any.whl', size: undefined, uploadedAt: undefined },
    hashes: [`sha256:${'a'.repeat(64)}`],
    dependencies: [],
  },
  {
    name: 'b',
    version: '2',
    wheel: { fileName: 'b-2-py3-none-any.whl', size: 10, uploadedAt: 20 },
    hashes: [`sha256:${'b'.repeat(64)}`],
    dependencies: ['a'],
  },
]

const LOCK = {
  packages: PACKAGES,
  unbuilt: [{ name: 'own', folder: '.', reason: 'own comes from a local folder' }],
  indexes: ['https://index.example/simple'],
  shared: { files: [{ packages: ['a', 'b'] as const, path: 'lib/x.py' }], isComplete: true },
}

function broken(change: (text: string) => string): Uint8Array {
  return new TextEncoder().encode(change(new TextDecoder().decode(encodeLock(LOCK))))
}

describe('decodeLock', () => {
  test('gives back what was stored', () => {
    expect(decodeLock(encodeLock(LOCK))).toEqual(LOCK)
  })

  test.each<[string, (text: string) => string]>([
    ['is cut off', (text) => text.slice(0, -5)],
    ['has another format', (text) => text.replace('"format":3', '"format":2')],
    ['has a name that is not normalised', (text) => text.replace('"name":"a"', '"name":"A"')],
    ['has a file of one package', (text) => text.replace('["a","b"]', '["a"]')],
    ['has a negative size', (text) => text.replace('"size":10', '"size":-1')],
    ['has a size that is a text', (text) => text.replace('"size":10', '"size":"10"')],
    ['has no hashes', (text) => text.replace(/"hashes":\[[^\]]+\]/, '"hashes":[]')],
    ['has a hash that is none', (text) => text.replace('sha256:aa', 'sha256:zz')],
    ['is out of order', (text) => text.replace('"name":"a"', '"name":"c"')],
    ['holds a package twice', (text) => text.replace('"name":"b"', '"name":"a"')],
    ['has an own package without a name', (text) => text.replace('"name":"own"', '"name":1')],
    ['has an index that is no text', (text) => text.replace('"https://index.example/simple"', '1')],
    ['is no record', () => '[]'],
    ['is empty', () => ''],
  ])('refuses an entry that %s', (_, change) => {
    expect(decodeLock(broken(change))).toBeUndefined()
  })
})
