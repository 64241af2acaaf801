import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, parseManifest } from '../../src/registry/manifest.ts'

const digest = digestOf('x')
const descriptor = { mediaType: 'a/b', digest, size: 3 }
const parse = (mediaType: string, content: unknown) =>
  parseManifest({ mediaType, bytes: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)) })

describe('a manifest is read', () => {
  test.each([OCI_MANIFEST, DOCKER_MANIFEST])('of type %s', (type) => {
    const layer = { ...descriptor, annotations: { a: 'b', wrong: 1 }, urls: [] }
    expect(parse(type, { schemaVersion: 2, config: descriptor, layers: [layer] })).toEqual({
      kind: 'image',
      config: descriptor,
      layers: [{ ...descriptor, annotations: { a: 'b' } }],
    })
  })

  test.each([OCI_INDEX, DOCKER_INDEX])('of type %s', (type) => {
    const platform = { os: 'linux', architecture: 'arm', variant: 'v7', 'os.version': '1' }
    expect(parse(type, { schemaVersion: 2, manifests: [{ ...descriptor, platform }, descriptor] })).toEqual({
      kind: 'index',
      manifests: [{ ...descriptor, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }, descriptor],
    })
  })
})

describe('what is no manifest is refused', () => {
  test.each<[string, unknown, string]>([
    ['text', 'hello', 'no JSON object'],
    ['a list', [], 'no JSON object'],
    ['schema version 1', { schemaVersion: 1 }, 'schema version 1'],
    ['no config', { layers: [] }, 'config is missing'],
    ['no layers', { config: descriptor }, 'layers are missing'],
    ['another digest algorithm', { config: { ...descriptor, digest: 'sha512:00' }, layers: [] }, 'no sha256 digest'],
    ['a negative size', { config: { ...descriptor, size: -1 }, layers: [] }, 'no size'],
    ['a size as text', { config: descriptor, layers: [{ ...descriptor, size: '3' }] }, 'layers[0] has no size'],
  ])('%s', (_, content, problem) => {
    expect(() => parse(OCI_MANIFEST, content)).toThrow(problem)
  })
})
