import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { digestOf } from '../../src/base/digest.ts'
import { type ContentKeyParts, contentKey, contentTag } from '../../src/image/content-key.ts'
import { parts } from '../support/content-parts.ts'

const LAYERS = { installer: 'uv:1', maxLayers: 8, maxLayerSize: 1e9, pins: [], heavy: [], python: undefined }

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
  ['an annotation', { annotations: ['index:team=ml'] }],
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

test('the tag of a content is a legal tag', () => {
  expect(contentTag(contentKey(parts))).toMatch(/^[\w][\w.-]{0,127}$/)
})

/** Pairs that tools share a key for when they put parts side by side without types and lengths. */
const lookalikes: readonly [string, Partial<ContentKeyParts>, Partial<ContentKeyParts>][] = [
  ['the border between two values', { secretIds: ['ab', 'c'] }, { secretIds: ['a', 'bc'] }],
  ['two values or one', { outputs: ['a', 'b'] }, { outputs: ['ab'] }],
  [
    'two arguments or one with an equals sign in it',
    {
      buildArgs: new Map([
        ['A', '1'],
        ['B', '2'],
      ]),
    },
    { buildArgs: new Map([['A', '1 B=2']]) },
  ],
  [
    'an argument or a label',
    { buildArgs: new Map([['A', '1']]), labels: new Map() },
    { buildArgs: new Map(), labels: new Map([['A', '1']]) },
  ],
  [
    'an image or a named context',
    { images: new Map([['a', digestOf('a')]]), namedContexts: new Map() },
    { images: new Map(), namedContexts: new Map([['a', digestOf('a')]]) },
  ],
  ['nothing or an empty text', { target: undefined }, { target: '' }],
  [
    'a number or its digits',
    { layers: { ...LAYERS, installer: 'a' } },
    { layers: { ...LAYERS, installer: 'a', python: '8' } },
  ],
  ['layers off or an installer called off', { layers: 'off' }, { layers: { ...LAYERS, installer: 'off' } }],
  ['one platform or the other', { platforms: ['linux/amd64'] }, { platforms: ['linux/arm64'] }],
  ['the order of installs', { dockerfile: 'RUN pip install a b\n' }, { dockerfile: 'RUN pip install b a\n' }],
  [
    'an index or a further index',
    { dockerfile: 'RUN pip install --index-url u\n' },
    { dockerfile: 'RUN pip install --extra-index-url u\n' },
  ],
  [
    'two installs or one',
    { dockerfile: 'RUN pip install a\nRUN pip install b\n' },
    { dockerfile: 'RUN pip install a b\n' },
  ],
]

describe('no key is shared by', () => {
  test.each(lookalikes)('%s', (_, one, other) => {
    expect(contentKey({ ...parts, ...one })).not.toBe(contentKey({ ...parts, ...other }))
  })
})

const words = fc.string({ maxLength: 6 })
const pairs = fc.dictionary(words, words).map((entries) => new Map(Object.entries(entries)))
const digests = fc
  .dictionary(words, words)
  .map((entries) => new Map(Object.entries(entries).map(([name, text]) => [name, digestOf(text)])))
const anyParts: fc.Arbitrary<ContentKeyParts> = fc.record({
  salt: words,
  dockerfile: words,
  target: fc.option(words, { nil: undefined }),
  platforms: fc.uniqueArray(words, { maxLength: 3 }),
  builderPlatform: fc.option(words, { nil: undefined }),
  buildArgs: pairs,
  context: words.map((text) => digestOf(text)),
  namedContexts: digests,
  images: digests,
  labels: pairs,
  annotations: fc.uniqueArray(words, { maxLength: 3 }),
  secretIds: fc.uniqueArray(words, { maxLength: 3 }),
  provenance: fc.option(words, { nil: undefined }),
  sbom: fc.option(words, { nil: undefined }),
  compression: words,
  outputs: fc.array(words, { maxLength: 3 }),
  layers: fc.oneof(
    fc.constant('off' as const),
    fc.record({
      installer: words,
      maxLayers: fc.nat(32),
      maxLayerSize: fc.nat(),
      pins: fc.array(fc.array(words, { maxLength: 2 }), { maxLength: 2 }),
      heavy: fc.array(words, { maxLength: 2 }),
      python: fc.option(words, { nil: undefined }),
    }),
  ),
})

/** The same parts in one form: order of names aside, as JSON, which keeps lists, texts and numbers apart. */
function canonical(given: ContentKeyParts): string {
  const sorted = (map: ReadonlyMap<string, string>): unknown => [...map].sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify({
    ...given,
    annotations: [...given.annotations].sort(),
    platforms: [...given.platforms].sort(),
    secretIds: [...given.secretIds].sort(),
    buildArgs: sorted(given.buildArgs),
    namedContexts: sorted(given.namedContexts),
    images: sorted(given.images),
    labels: sorted(given.labels),
  })
}

describe('for any parts', () => {
  test('one field taken from other parts changes the key exactly when it differs', () => {
    const field = fc.constantFrom(...Object.keys(parts))
    fc.assert(
      fc.property(anyParts, anyParts, field, (one, other, name) => {
        const mixed: ContentKeyParts = {
          ...one,
          ...Object.fromEntries(Object.entries(other).filter(([key]) => key === name)),
        }
        expect(contentKey(mixed) === contentKey(one)).toBe(canonical(mixed) === canonical(one))
      }),
      { numRuns: 500 },
    )
  })

  test('every character of every text counts', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        fc.nat(),
        fc.string({ minLength: 1, maxLength: 1 }),
        (text, at, char) => {
          const place = at % text.length
          const changed = text.slice(0, place) + char + text.slice(place + 1)
          const keys = (value: string) => [
            contentKey({ ...parts, dockerfile: value }),
            contentKey({ ...parts, buildArgs: new Map([['A', value]]) }),
            contentKey({ ...parts, labels: new Map([[value, '1']]) }),
          ]
          const [before, after] = [keys(text), keys(changed)]
          for (const [index, key] of before.entries()) expect(key === after[index]).toBe(text === changed)
        },
      ),
    )
  })
})
