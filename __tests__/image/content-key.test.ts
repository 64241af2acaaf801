import { expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { type ContentKeyParts, contentKey, contentTag } from '../../src/image/content-key.ts'

const LAYERS = { installer: 'uv:1', maxLayers: 8, maxLayerSize: 1e9, pins: [], heavy: [], python: undefined }

const parts: ContentKeyParts = {
  salt: '',
  dockerfile: 'FROM python:3.12-slim\n',
  target: undefined,
  platforms: ['linux/amd64', 'linux/arm64'],
  builderPlatform: undefined,
  buildArgs: new Map([['A', '1']]),
  context: digestOf('context'),
  namedContexts: new Map(),
  images: new Map([['python:3.12-slim', digestOf('base')]]),
  labels: new Map([['team', 'ml']]),
  secretIds: ['token'],
  provenance: undefined,
  sbom: undefined,
  compression: 'zstd',
  outputs: [],
  layers: LAYERS,
}

const changes: readonly [string, Partial<ContentKeyParts>][] = [
  ['the salt', { salt: 'x' }],
  ['the Dockerfile', { dockerfile: 'FROM python:3.12-slim\n#\n' }],
  ['the target', { target: 'test' }],
  ['a platform', { platforms: ['linux/amd64'] }],
  ["the builder's platform", { builderPlatform: 'linux/arm64' }],
  ['a build argument', { buildArgs: new Map([['A', '2']]) }],
  ["a build argument's name", { buildArgs: new Map([['B', '1']]) }],
  ['the context', { context: digestOf('other') }],
  ['a named context', { namedContexts: new Map([['lib', digestOf('lib')]]) }],
  ['the base image', { images: new Map([['python:3.12-slim', digestOf('patched')]]) }],
  ['a label', { labels: new Map([['team', 'web']]) }],
  ['a secret id', { secretIds: ['other'] }],
  ['the provenance', { provenance: 'mode=max' }],
  ['the SBOM', { sbom: 'true' }],
  ['the compression', { compression: 'gzip' }],
  ['the outputs', { outputs: ['type=local,dest=out'] }],
  ['the layers', { layers: 'off' }],
  ['the installer image', { layers: { ...LAYERS, installer: 'uv:2' } }],
  ['the number of layers', { layers: { ...LAYERS, maxLayers: 9 } }],
  ['the size of layers', { layers: { ...LAYERS, maxLayerSize: 2e9 } }],
  ['a fixed layer', { layers: { ...LAYERS, pins: [['torch', 'triton']] } }],
  ['two fixed layers of the same packages', { layers: { ...LAYERS, pins: [['torch'], ['triton']] } }],
  ['a heavy package', { layers: { ...LAYERS, heavy: ['torch'] } }],
]

test.each(changes)('%s is part of the key', (_, change) => {
  expect(contentKey({ ...parts, ...change })).not.toBe(contentKey(parts))
})

test('no two of these changes share a key', () => {
  const keys = changes.map(([, change]) => contentKey({ ...parts, ...change }))
  expect(new Set(keys).size).toBe(changes.length)
})

test('the order of platforms and of arguments is not', () => {
  const turned = {
    ...parts,
    platforms: [...parts.platforms].reverse(),
    buildArgs: new Map([
      ['B', '2'],
      ['A', '1'],
    ]),
  }
  const straight = {
    ...parts,
    buildArgs: new Map([
      ['A', '1'],
      ['B', '2'],
    ]),
  }
  expect(contentKey(turned)).toBe(contentKey(straight))
})

test('labels that say when and from which commit are not', () => {
  const dated = new Map([
    ['team', 'ml'],
    ['org.opencontainers.image.created', '2026-01-01T00:00:00Z'],
    ['org.opencontainers.image.revision', 'abc'],
  ])
  expect(contentKey({ ...parts, labels: dated })).toBe(contentKey(parts))
})

test('the tag of a content is a legal tag', () => {
  expect(contentTag(contentKey(parts))).toMatch(/^[\w][\w.-]{0,127}$/)
})
