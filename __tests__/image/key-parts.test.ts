import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { keyParts } from '../../src/image/key-parts.ts'
import { parts } from '../support/content-parts.ts'

const LAYERS = { installer: 'uv:1', maxLayers: 8, maxLayerSize: 1e9, pins: [], heavy: [], python: undefined }

describe('the parts of a key', () => {
  test('are named as people know them, one for each argument, image and label', () => {
    const list = keyParts(
      {
        ...parts,
        buildArgs: new Map([['VERSION', '1.2']]),
        images: new Map([
          ['python:3.12-slim', digestOf('base')],
          ['tools.example/uv:1', digestOf('uv')],
        ]),
        namedContexts: new Map([['lib', digestOf('lib')]]),
        secretIds: ['token', 'key'],
      },
      new Set(['python:3.12-slim']),
    )
    const named = Object.fromEntries(list.map(({ name, value }) => [name, value]))
    expect(named).toMatchObject({
      Dockerfile: parts.dockerfile,
      'build argument VERSION': '1.2',
      'base image python:3.12-slim': digestOf('base'),
      'image tools.example/uv:1': digestOf('uv'),
      'named context lib': digestOf('lib'),
      secrets: '["key","token"]',
      compression: 'zstd',
      'layers: installer': 'uv:1',
      'layers: max layers': '8',
    })
    expect(Object.keys(named)).not.toContain('context')
    expect(Object.keys(named)).not.toContain('target')
  })

  test('tell a named context that stands for an image once, as the image', () => {
    const names = keyParts(
      { ...parts, namedContexts: new Map([['python:3.12-slim', digestOf('base')]]) },
      new Set(['python:3.12-slim']),
    ).map(({ name }) => name)
    expect(names.filter((name) => name.includes('python'))).toEqual(['base image python:3.12-slim'])
  })

  test('tell layers of the same packages apart', () => {
    const shown = (pins: readonly (readonly string[])[]): string | undefined =>
      keyParts({ ...parts, layers: { ...LAYERS, pins } }, new Set()).find(({ name }) => name === 'layers: pins')?.value
    expect([shown([['torch', 'triton']]), shown([['torch'], ['triton']]), shown([])]).toEqual([
      '[["torch","triton"]]',
      '[["torch"],["triton"]]',
      undefined,
    ])
  })
})
