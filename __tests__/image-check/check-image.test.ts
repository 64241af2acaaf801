import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Digest, digestOf } from '../../src/base/digest.ts'
import { type CheckQuestion, checkImage } from '../../src/image-check/check-image.ts'
import { recordKey } from '../../src/image-check/image-record.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { NoStore } from '../../src/stores/no-store.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const NOW = Date.UTC(2026, 10, 21)
const registry = new HttpRegistry({ sleep: async () => undefined })
let fake: RegistryFake
let folder = ''
let store: LocalStore

beforeEach(async () => {
  fake = await startRegistryFake()
  folder = await mkdtemp(join(tmpdir(), 'check-'))
  store = new LocalStore({ folder })
})

afterEach(async () => {
  await fake.close()
  await rm(folder, { recursive: true })
})

describe('a record', () => {
  test('answers without a word to the registry', async () => {
    const digest = digestOf('image')
    await store.save(recordKey(question().subject, { digest, writtenAt: NOW - 1000 }), Buffer.from(''))
    expect(await checkImage(question(), store, registry)).toEqual({ kind: 'found', digest, via: 'record' })
    expect(fake.requests).toHaveLength(0)
  })

  test('that has expired leaves the answer to the registry', async () => {
    const old = recordKey(question().subject, { digest: digestOf('image'), writtenAt: NOW - 90_000_000 })
    await store.save(old, Buffer.from(''))
    expect(await checkImage(question(), store, registry)).toMatchObject({ kind: 'missing' })
    expect(fake.kinds).toEqual(['HEAD manifests'])
  })

  test('is not asked with a time of 0', async () => {
    await store.save(recordKey(question().subject, { digest: digestOf('image'), writtenAt: NOW }), Buffer.from(''))
    const answer = await checkImage(question({ ttl: 0 }), store, registry)
    expect(answer).toEqual({ kind: 'missing', reason: `not in ${fake.host}/app (records are not asked)` })
  })

  test('that can not be had is said in the reason', async () => {
    const answer = await checkImage(question(), new NoStore('switched off'), registry)
    expect(answer).toMatchObject({ kind: 'missing', reason: expect.stringContaining('off store: switched off') })
  })
})

describe('the registry', () => {
  test('finds an image by the tag of its content, in one request', async () => {
    const digest = put('app')
    expect(await checkImage(question(), store, registry)).toEqual({ kind: 'found', digest, via: 'registry' })
    expect(fake.kinds).toEqual(['HEAD manifests'])
  })

  test('must have it in every repository', async () => {
    put('app')
    const answer = await checkImage(question({ paths: ['app', 'other'] }), store, registry)
    expect(answer).toMatchObject({ kind: 'missing', reason: expect.stringContaining(`not in ${fake.host}/other`) })
  })

  test('must have the same image in every repository', async () => {
    put('app')
    put('other', 'another build')
    const answer = await checkImage(question({ paths: ['app', 'other'] }), store, registry)
    expect(answer).toMatchObject({ kind: 'missing', reason: expect.stringContaining('different images') })
  })

  test.each([
    ['is down', { kind: 'status', status: 503 } as const, 4],
    ['refuses the login', { kind: 'status', status: 403, code: 'DENIED' } as const, 1],
    ['breaks off', { kind: 'reset' } as const, 4],
  ])('that %s makes the answer unknown, not missing', async (_, fault, times) => {
    fake.fail('HEAD manifests', fault, times)
    const answer = await checkImage(question(), store, registry)
    expect(answer.kind).toBe('unknown')
    expect(fake.requests).toHaveLength(times)
  })
})

function question(change: { readonly ttl?: number; readonly paths?: readonly string[] } = {}): CheckQuestion {
  const paths = change.paths ?? ['app']
  return {
    repositories: paths.map((path) => ({ registry: fake.host, path })),
    tag: 'content-1',
    subject: { repositories: paths, platforms: [], contentKey: digestOf('content'), salt: '' },
    ttl: change.ttl ?? 86_400,
    now: NOW,
  }
}

function put(path: string, note = 'image'): Digest {
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    ...fake.addBlob(path, JSON.stringify({ note })),
  }
  return fake.addManifest(path, 'content-1', OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config,
    layers: [],
  })
}
