import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { imagePlatforms, platformCheck } from '../../src/registry/image-platforms.ts'
import { formatPlatform } from '../../src/registry/platform.ts'
import { addFakeImage, addFakeIndex } from '../support/fake-images.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const registry = new HttpRegistry({ sleep: async () => undefined })
let fake: RegistryFake
beforeEach(async () => {
  fake = await startRegistryFake()
})
afterEach(() => fake.close())

const name = (tag = 'v1') => ({ registry: fake.host, path: 'app', tag })

async function platforms(): Promise<readonly string[]> {
  const image = await imagePlatforms(registry, name())
  return image.kind === 'found' ? image.manifests.map(({ platform }) => formatPlatform(platform)) : ['missing']
}

describe('the platforms of an image', () => {
  test('stand in its index, attestations apart', async () => {
    addFakeIndex(fake, 'app', 'v1', { platforms: ['linux/amd64', 'linux/arm/v7'], attested: true })
    expect(await platforms()).toEqual(['linux/amd64', 'linux/arm/v7'])
    expect(fake.kinds).toEqual(['GET manifests'])
  })

  test('of a single manifest stand in its configuration', async () => {
    addFakeImage(fake, 'app', 'v1', { platform: 'linux/arm64' })
    expect(await platforms()).toEqual(['linux/arm64'])
    expect(fake.kinds).toEqual(['GET manifests', 'GET blobs'])
  })

  test('are nowhere when there is no image', async () => {
    expect(await platforms()).toEqual(['missing'])
  })

  test('are nowhere when a clean-up left a manifest without its configuration', async () => {
    addFakeImage(fake, 'app', 'v1')
    fake.fail('GET blobs', { kind: 'status', status: 404, code: 'BLOB_UNKNOWN' })
    expect(await platforms()).toEqual(['missing'])
  })
})

describe('the check of platforms', () => {
  test.each<[readonly string[], readonly string[], readonly string[]]>([
    [['linux/amd64'], ['linux/amd64'], []],
    [['linux/amd64', 'linux/arm64'], ['linux/x86_64', 'linux/arm64/v8'], []],
    [['linux/arm/v7'], ['linux/arm'], []],
    [['linux/arm/v6'], ['linux/arm/v7'], ['linux/arm/v7']],
    [['linux/arm/v7'], ['linux/arm/v6'], ['linux/arm/v6']],
    [['linux/amd64'], ['linux/amd64/v3'], ['linux/amd64/v3']],
    [['linux/amd64'], ['windows/amd64', 'linux/s390x'], ['windows/amd64', 'linux/s390x']],
  ])('of %j for %j lacks %j, in an index and alone', async (have, wanted, missing) => {
    addFakeIndex(fake, 'app', 'v1', { platforms: have, attested: true })
    const expected = missing.length === 0 ? { kind: 'found' } : { kind: 'incomplete', missing }
    expect(await platformCheck(registry, name(), wanted)).toMatchObject(expected)
    const [platform] = have
    if (have.length > 1 || platform === undefined) return
    addFakeImage(fake, 'app', 'alone', { platform })
    expect(await platformCheck(registry, name('alone'), wanted)).toMatchObject(expected)
  })

  test('finds out that the manifest behind an index is gone', async () => {
    addFakeIndex(fake, 'app', 'v1', { platforms: ['linux/amd64', 'linux/arm64'] })
    fake.fail('HEAD manifests', { kind: 'status', status: 404, code: 'MANIFEST_UNKNOWN' })
    expect(await platformCheck(registry, name(), ['linux/amd64', 'linux/arm64'])).toMatchObject({
      kind: 'incomplete',
      missing: [expect.stringMatching(/^linux\//)],
    })
  })

  test('for no platform is one HEAD', async () => {
    const digest = addFakeIndex(fake, 'app', 'v1', { platforms: ['linux/amd64'] })
    expect(await platformCheck(registry, name(), [])).toEqual({ kind: 'found', digest })
    expect(fake.kinds).toEqual(['HEAD manifests'])
  })
})
