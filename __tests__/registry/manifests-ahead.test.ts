import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { manifestsAhead } from '../../src/registry/manifests-ahead.ts'
import type { Registry } from '../../src/registry/registry.ts'
import { addFakeImage } from '../support/fake-images.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

let fake: RegistryFake
let ahead: Registry
beforeEach(async () => {
  fake = await startRegistryFake()
})
afterEach(() => fake.close())

const name = (tag: string) => ({ registry: fake.host, path: 'app', tag })

function ask(): void {
  ahead = manifestsAhead(new HttpRegistry({ sleep: async () => undefined }), [name('content')])
}

describe('a manifest that is asked for ahead', () => {
  test('answers its tag and its digest, to HEAD and to GET, in one request', async () => {
    const digest = addFakeImage(fake, 'app', 'content')
    ask()
    const byTag = await ahead.manifest(name('content'))
    const byDigest = await ahead.manifest({ registry: fake.host, path: 'app', digest })
    expect([byTag?.digest, byDigest?.digest]).toEqual([digest, digest])
    expect(await ahead.head(name('content'))).toEqual({
      mediaType: byTag?.mediaType,
      digest,
      size: byTag?.bytes.length,
    })
    expect(fake.kinds).toEqual(['GET manifests'])
  })

  test('that is missing is missing by its tag; another digest is asked for', async () => {
    const digest = addFakeImage(fake, 'app', 'other')
    ask()
    expect(await ahead.head(name('content'))).toBeUndefined()
    expect((await ahead.manifest({ registry: fake.host, path: 'app', digest }))?.digest).toBe(digest)
    expect(fake.kinds).toEqual(['GET manifests', 'GET manifests'])
  })

  test('is not that of another tag or repository', async () => {
    addFakeImage(fake, 'app', 'content')
    addFakeImage(fake, 'app', 'latest')
    addFakeImage(fake, 'more', 'content')
    ask()
    await ahead.head(name('latest'))
    await ahead.head({ ...name('content'), path: 'more' })
    expect([...fake.kinds].sort()).toEqual(['GET manifests', 'HEAD manifests', 'HEAD manifests'])
  })

  test('that could not be had is an error for whoever asks first, then it is asked for again', async () => {
    addFakeImage(fake, 'app', 'content')
    fake.fail('GET manifests', { kind: 'status', status: 403, code: 'DENIED' })
    ask()
    await expect(ahead.head(name('content'))).rejects.toMatchObject({ status: 403 })
    expect(fake.count('GET manifests')).toBe(1)
    expect(await ahead.manifest(name('content'))).toBeDefined()
    expect(fake.count('GET manifests')).toBe(2)
  })

  test('can be put under another name', async () => {
    const digest = addFakeImage(fake, 'app', 'content')
    ask()
    const manifest = await ahead.manifest(name('content'))
    if (manifest !== undefined) await ahead.putManifest(name('v1'), manifest)
    expect(fake.digestOfTag('app', 'v1')).toBe(digest)
  })
})
