import { describe, expect, test } from '@jest/globals'
import { ImageCacheError } from '../../src/base/errors.ts'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'

function parse(given: Readonly<Record<string, string>>) {
  return parseBuildInputs((name) => given[name] ?? '')
}

function mistakes(given: Readonly<Record<string, string>>): string {
  try {
    parse(given)
  } catch (error) {
    if (error instanceof ImageCacheError && error.code === 'E_INPUT') return error.message
    throw error
  }
  return ''
}

test('no input at all is a build of the current folder with every default', () => {
  const inputs = parse({})
  expect(inputs).toMatchObject({
    context: '.',
    tags: [],
    push: false,
    optimizeLayers: true,
    compression: 'zstd',
    check: 'auto',
    checkTtl: 86_400,
    cacheFrom: { kind: 'auto' },
  })
})

test('lists take lines, commas and quoted commas', () => {
  const inputs = parse({
    tags: 'ghcr.io/org/app:1,ghcr.io/org/app\nlocalhost:5000/app:dev',
    'build-args': 'A=1,2\n# a remark\nB=x=y',
    outputs: 'type=image,"name=a,b",push=true',
  })
  expect(inputs.tags.map((tag) => tag.tag)).toEqual(['1', 'latest', 'dev'])
  expect([...inputs.buildArgs]).toEqual([
    ['A', '1,2'],
    ['B', 'x=y'],
  ])
  expect(inputs.outputs).toEqual(['type=image,"name=a,b",push=true'])
})

test('a secret may span lines in quotes', () => {
  const inputs = parse({ secrets: 'one=plain\n"two=first\nsecond ""quoted"""\n', 'secret-envs': 'three=TOKEN' })
  expect(inputs.secrets).toEqual([
    { id: 'one', from: { kind: 'value', value: 'plain' } },
    { id: 'two', from: { kind: 'value', value: 'first\nsecond "quoted"' } },
    { id: 'three', from: { kind: 'env', name: 'TOKEN' } },
  ])
})

test('labels that say nothing of the content are OCI’s two, the user’s own, or none', () => {
  expect(parse({}).volatileLabels).toEqual(['org.opencontainers.image.revision', 'org.opencontainers.image.created'])
  expect(parse({ 'volatile-labels': 'build.*\ncom.example.run' }).volatileLabels).toEqual([
    'build.*',
    'com.example.run',
  ])
  expect(parse({ 'volatile-labels': 'off' }).volatileLabels).toEqual([])
})

test('a missing image is believed for an hour at most', () => {
  expect(parse({ 'check-negative-ttl': '1h' }).checkNegativeTtl).toBe(3600)
  expect(mistakes({ 'check-negative-ttl': '2h' })).toBe(
    'check-negative-ttl: "2h" is longer than 1h, the longest that a missing image is believed',
  )
})

test('an annotation has a level, a platform, a name and a value', () => {
  expect(parse({ annotations: 'index:a=b\nc=d,e' }).annotations).toEqual([
    { levels: ['index'], platform: undefined, name: 'a', value: 'b' },
    { levels: ['manifest'], platform: undefined, name: 'c', value: 'd,e' },
  ])
  expect(mistakes({ annotations: 'image:a=b' })).toMatch(/^annotations: "image:a=b" has the level "image"/)
})

describe('mistakes', () => {
  test('are reported together, each with the input and what it got', () => {
    const message = mistakes({
      push: 'yes',
      compression: 'brotli',
      'check-ttl': 'soon',
      platforms: 'amd64',
      'python-version': '3',
      'max-layers': '0',
      'cache-to': 'type=registry',
      tags: 'UPPER/case',
    })
    for (const part of [
      'push: "yes" is not one of true, false',
      'compression: "brotli" is not one of zstd, gzip, estargz, uncompressed',
      'check-ttl: "soon" is not a duration',
      'platforms: "amd64" is not os/architecture',
      'python-version: "3" is not a minor version',
      'max-layers: "0" is not a whole number from 1 to 32',
      'cache-to: "type=registry" has no ref',
      'tags: "UPPER/case"',
    ]) {
      expect(message).toContain(part)
    }
  })

  test('push without a tag is one', () => {
    expect(mistakes({ push: 'true' })).toContain('tags: "" is empty, but push needs a name to push to')
  })

  test('a context from standard input is one', () => {
    expect(mistakes({ context: '-' })).toContain('is no folder and no git repository')
  })

  test('a broken secret is named by its place, never quoted', () => {
    const message = mistakes({ secrets: 'hunter2-without-id' })
    expect(message).toContain('secrets: "entry 1" is not ID=VALUE')
    expect(message).not.toContain('hunter2')
  })
})
