import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { publish, publishIndex } from '../../src/entry/publish.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { addFakeImage } from '../support/fake-images.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const registry = new HttpRegistry({ sleep: async () => undefined })
let fake: RegistryFake
let at: (name: string) => string
beforeEach(async () => {
  fake = await startRegistryFake()
  at = (name) => `${fake.host}/${name}`
})
afterEach(() => fake.close())

test('an image comes under other names, in other repositories, too, and nothing is pulled', async () => {
  const digest = addFakeImage(fake, 'app', 'v1')
  const published = await publish(at('app:v1'), [at('app:stable'), at('mirror')], { registry })
  expect(published).toEqual({ digest, names: [at('app:stable'), at('mirror:latest')] })
  expect([fake.digestOfTag('app', 'stable'), fake.digestOfTag('mirror', 'latest')]).toEqual([digest, digest])
  expect(fake.count('GET blobs')).toBe(0)
})

test('an image that is not there is an error, and no tag is put', async () => {
  const gone = publish(at('app:v1'), [at('app:stable')], { registry })
  await expect(gone).rejects.toMatchObject({ code: 'E_INPUT', message: expect.stringContaining('app:v1" is not in') })
  expect(fake.digestOfTag('app', 'stable')).toBeUndefined()
})

test('names that can not be read are told together, before any request', async () => {
  const wrong = publish('UPPER', [at('app:v2'), 'b:', `${at('app')}@sha256:${'a'.repeat(64)}`], { registry })
  await expect(wrong).rejects.toThrow(/image: "UPPER".*names: "b:".*has a digest, a tag is wanted/)
  expect(fake.requests).toEqual([])
})

test('a name that is refused is told, and the others are put', async () => {
  const digest = addFakeImage(fake, 'app', 'v1')
  fake.fail('PUT manifests', { kind: 'status', status: 403, code: 'DENIED' })
  const refused = publish(at('app:v1'), [at('app:one'), at('app:two')], { registry })
  await expect(refused).rejects.toMatchObject({
    code: 'E_REGISTRY_AUTH',
    message: expect.stringMatching(/app:(one|two): /),
  })
  const put = ['one', 'two'].map((tag) => fake.digestOfTag('app', tag))
  expect(put.filter((found) => found === digest)).toHaveLength(1)
})

test('images of several platforms become one', async () => {
  const images = ['linux/amd64', 'linux/arm64'].map((platform) => addFakeImage(fake, 'app', 'v1', { platform }))
  const options = { registry, platforms: ['linux/amd64', 'linux/arm64'], annotations: ['team=ml'] }
  const published = await publishIndex(images, [at('app:v1')], options)
  expect(published).toMatchObject({ names: [at('app:v1')], platforms: ['linux/amd64', 'linux/arm64'] })
  expect(fake.digestOfTag('app', 'v1')).toBe(published.digest)
})

test('a platform that no image is for is an error, as is an annotation of an image', async () => {
  const image = addFakeImage(fake, 'app', 'v1')
  const lacking = publishIndex([image], [at('app:v1')], { registry, platforms: ['linux/arm64'] })
  await expect(lacking).rejects.toMatchObject({ code: 'E_INPUT' })
  const odd = publishIndex([image], [at('app:v1')], { registry, annotations: ['manifest:a=b'] })
  await expect(odd).rejects.toThrow('annotations: a is of the images, not of their index')
})
