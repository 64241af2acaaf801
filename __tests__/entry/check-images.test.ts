import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { checkImage, checkImages } from '../../src/entry/check-images.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { addFakeImage, addFakeIndex } from '../support/fake-images.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

const registry = new HttpRegistry({ sleep: async () => undefined })

describe('images by name, from a program', () => {
  let fake: RegistryFake
  let folder = ''
  beforeEach(async () => {
    fake = await startRegistryFake()
    folder = await mkdtemp(join(tmpdir(), 'check-images-'))
  })
  afterEach(async () => {
    await fake.close()
    await rm(folder, { recursive: true })
  })

  test('are answered in their order, each for itself', async () => {
    const digest = addFakeImage(fake, 'app', 'v1')
    fake.fail('HEAD manifests', { kind: 'status', status: 403, code: 'DENIED' })
    const names = ['app:secret', 'app:v1', 'app:v2', `app@${digest}`].map((name) => `${fake.host}/${name}`)
    // One at a time, so that the fault meets the first.
    const first = await checkImage(names[0] ?? '', { registry })
    const others = await checkImages(names.slice(1), { registry })
    expect([first, ...others].map(({ outcome }) => outcome)).toEqual(['unknown', 'found', 'missing', 'found'])
    expect(others.map(({ image }) => image)).toEqual(names.slice(1))
    expect(others[0]?.digest).toBe(digest)
  })

  test('must have all platforms', async () => {
    addFakeIndex(fake, 'app', 'v1', { platforms: ['linux/amd64', 'linux/arm/v7'] })
    const name = `${fake.host}/app:v1`
    const check = (...platforms: readonly string[]) => checkImage(name, { registry, platforms })
    expect(await check('linux/amd64', 'linux/arm/v7')).toMatchObject({ outcome: 'found', missingPlatforms: [] })
    expect(await check('linux/amd64', 'linux/arm64')).toMatchObject({
      outcome: 'missing',
      missingPlatforms: ['linux/arm64'],
    })
  })

  test('by digest are remembered in a store, and then asked of nobody else', async () => {
    const digest = addFakeImage(fake, 'app', 'v1')
    const store = new LocalStore({ folder })
    await checkImage(`${fake.host}/app@${digest}`, { registry, store })
    const again = await checkImage(`${fake.host}/app@${digest}`, { registry, store })
    expect(again).toMatchObject({ outcome: 'found', digest, asked: [{ by: 'record' }] })
    expect(fake.requests).toHaveLength(1)
    // Another platform is another question.
    await checkImage(`${fake.host}/app@${digest}`, { registry, store, platforms: ['linux/amd64'] })
    expect(fake.requests.length).toBeGreaterThan(1)
  })

  test('that can not be read are reported together', async () => {
    await expect(checkImages(['Upper', 'b:'], { platforms: ['arm'] })).rejects.toThrow(
      /platforms: "arm".*images: "Upper".*images: "b:"/,
    )
  })

  test('may be none', async () => {
    expect(await checkImages([])).toEqual([])
  })
})

test('200 images are asked for over at most 8 connections at a time, with one request each', async () => {
  let [open, most, requests] = [0, 0, 0]
  const server = createServer(async (_, response) => {
    requests += 1
    await pause(5)
    const headers = {
      'content-type': 'application/vnd.oci.image.manifest.v1+json',
      'content-length': '100',
      'docker-content-digest': digestOf('image'),
    }
    response.writeHead(200, headers).end()
  })
  server.on('connection', (socket) => {
    open += 1
    most = Math.max(most, open)
    socket.once('close', () => {
      open -= 1
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const names = Array.from({ length: 200 }, (_, n) => `127.0.0.1:${port}/app:v${n}`)
    const checked = await checkImages(names)
    expect(checked.every(({ outcome }) => outcome === 'found')).toBe(true)
    expect(requests).toBe(200)
    expect(most).toBeLessThanOrEqual(8)
  } finally {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
