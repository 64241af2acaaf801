import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ImageCacheError } from '../../src/base/errors.ts'
import type { CheckQuestion } from '../../src/image-check/image-check.ts'
import { registryChecker } from '../../src/image-check/registry-checker.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { addFakeImage, addFakeIndex } from '../support/fake-images.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const checker = registryChecker(new HttpRegistry({ sleep: async () => undefined }))
let fake: RegistryFake
beforeEach(async () => {
  fake = await startRegistryFake()
})
afterEach(() => fake.close())

function question(paths: readonly string[] = ['app'], platforms: readonly string[] = []): CheckQuestion {
  const repositories = paths.map((path) => ({ registry: fake.host, path }))
  return { repositories, version: { tag: 'content-1' }, platforms, subject: undefined }
}

describe('the registry', () => {
  test('finds an image by its tag, in one request', async () => {
    const digest = addFakeImage(fake, 'app', 'content-1')
    expect(await checker.check(question())).toEqual({
      kind: 'found',
      digest,
      holders: [{ registry: fake.host, path: 'app' }],
      reason: `in ${fake.host}/app`,
    })
    expect(fake.kinds).toEqual(['HEAD manifests'])
  })

  test('says where it is not', async () => {
    expect(await checker.check(question(['app', 'other']))).toEqual({
      kind: 'missing',
      reason: `not in ${fake.host}/app; not in ${fake.host}/other`,
      missingPlatforms: [],
    })
  })

  test('finds it in one repository of several, and says which', async () => {
    addFakeImage(fake, 'other', 'content-1')
    expect(await checker.check(question(['app', 'other']))).toMatchObject({
      kind: 'found',
      holders: [{ path: 'other' }],
    })
  })

  test('takes the first of repositories that hold different images', async () => {
    const digest = addFakeImage(fake, 'app', 'content-1')
    addFakeImage(fake, 'other', 'content-1', { note: 'another build' })
    const answer = await checker.check(question(['app', 'other']))
    expect(answer).toMatchObject({ kind: 'found', digest, holders: [{ path: 'app' }] })
  })

  test.each([
    ['is down', { kind: 'status', status: 503 } as const, 4],
    ['refuses the login', { kind: 'status', status: 403, code: 'DENIED' } as const, 1],
    ['breaks off', { kind: 'reset' } as const, 4],
    ['answers with a web page', { kind: 'html', status: 502 } as const, 4],
  ])('that %s makes the answer unknown, not missing', async (_, fault, times) => {
    fake.fail('HEAD manifests', fault, times)
    expect((await checker.check(question())).kind).toBe('unknown')
    expect(fake.requests).toHaveLength(times)
  })

  test('that is silent about one repository and lacks the other can not tell', async () => {
    fake.fail('HEAD manifests', { kind: 'status', status: 403, code: 'DENIED' })
    expect((await checker.check(question(['app', 'other']))).kind).toBe('unknown')
  })

  test('ends with the run', async () => {
    const controller = new AbortController()
    controller.abort()
    const ended = registryChecker(new HttpRegistry({ signal: controller.signal }))
    await expect(ended.check(question())).rejects.toBeInstanceOf(ImageCacheError)
  })
})

describe('platforms', () => {
  const wanted = ['linux/amd64', 'linux/arm/v7']

  test('must all be there, each with its manifest', async () => {
    const digest = addFakeIndex(fake, 'app', 'content-1', { platforms: wanted, attested: true })
    expect(await checker.check(question(['app'], wanted))).toMatchObject({ kind: 'found', digest })
    expect(fake.kinds).toEqual(['GET manifests', 'HEAD manifests', 'HEAD manifests'])
  })

  test('that are missing are named', async () => {
    addFakeIndex(fake, 'app', 'content-1', { platforms: ['linux/amd64', 'linux/arm/v6'], attested: true })
    expect(await checker.check(question(['app'], wanted))).toEqual({
      kind: 'missing',
      reason: `in ${fake.host}/app without linux/arm/v7`,
      missingPlatforms: ['linux/arm/v7'],
    })
  })

  test('are all missing where there is no image', async () => {
    expect(await checker.check(question(['app'], wanted))).toMatchObject({ kind: 'missing', missingPlatforms: wanted })
  })

  test('of the repository that lacks the least are named', async () => {
    addFakeIndex(fake, 'other', 'content-1', { platforms: ['linux/amd64'] })
    const answer = await checker.check(question(['app', 'other'], wanted))
    expect(answer).toMatchObject({ kind: 'missing', missingPlatforms: ['linux/arm/v7'] })
  })
})
