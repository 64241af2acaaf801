import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, test } from '@jest/globals'
import { type Digest, digestOf } from '../../src/base/digest.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import type { HttpRegistryOptions } from '../../src/registry/registry-transport.ts'
import { type RegistryFake, type RegistryFakeOptions, startRegistryFake } from '../support/registry-fake.ts'

// Larger than any buffer on the way, so that it is in several hands at once.
const LAYER = randomBytes(3_000_000)
const SOME = 1_000_000
const fakes: RegistryFake[] = []

afterEach(async () => {
  await Promise.all(fakes.splice(0).map((fake) => fake.close()))
})

describe('a layer for another registry', () => {
  test('is asked for there, then streamed from one to the other', async () => {
    const { source, target, copy } = await scene()
    expect(await copy()).toBe('copied')
    expect(holds(target, digestOf(LAYER))).toBe(true)
    expect(source.kinds).toEqual(['GET blobs'])
    expect(target.kinds).toEqual(['HEAD blobs', 'POST uploads', 'PUT uploads'])
    expect(target.requests.at(-1)?.headers['content-length']).toBe(String(LAYER.length))
  })

  test('is not read when it is there already', async () => {
    const { source, target, copy } = await scene()
    target.addBlob('app', LAYER)
    expect(await copy()).toBe('present')
    expect([source.requests.length, target.kinds]).toEqual([0, ['HEAD blobs']])
  })

  test('may be empty', async () => {
    const { target, copy } = await scene({}, {}, Buffer.alloc(0))
    expect(await copy()).toBe('copied')
    expect(target.blob('app', digestOf(''))).toHaveLength(0)
  })

  test('takes each registry’s own login', async () => {
    const login = (name: string) => ({ kind: 'basic', username: name, password: `password-of-${name}` }) as const
    const { source, target, blob } = await scene({ auth: login('source') }, { auth: login('target') })
    const names = new Map([
      [source.host, 'source'],
      [target.host, 'target'],
    ])
    const credentials = {
      credentialFor: async (registry: string) => ({ ...login(names.get(registry) ?? ''), kind: 'password' }) as const,
    }
    const from = { registry: source.host, path: 'team' }
    expect(await client({ credentials }).copyBlob({ registry: target.host, path: 'app' }, blob, from)).toBe('copied')
    const seen = [source, target].map((fake) => new Set(fake.requests.map(({ authorization }) => authorization)))
    expect(seen.map((headers) => headers.size)).toEqual([2, 2])
    expect([...(seen[0] ?? [])].filter((header) => seen[1]?.has(header))).toEqual([''])
  })

  test('comes from a storage on another origin', async () => {
    const storage = await started()
    storage.addBlob('team', LAYER)
    const { target, copy } = await scene({ blobStorage: `http://${storage.host}` })
    expect(await copy()).toBe('copied')
    expect(holds(target, digestOf(LAYER))).toBe(true)
  })
})

describe('a layer whose upload breaks off', () => {
  test('goes on where the target stands', async () => {
    const { source, target, copy } = await scene()
    target.fail('PUT uploads', { kind: 'reset-upload', afterBytes: SOME })
    expect(await copy()).toBe('copied')
    expect(holds(target, digestOf(LAYER))).toBe(true)
    expect(target.kinds).toEqual([
      'HEAD blobs',
      'POST uploads',
      'PUT uploads',
      'HEAD blobs',
      'GET uploads',
      'PUT uploads',
    ])
    expect(target.requests.at(-1)?.received).toBe(LAYER.length - SOME)
    expect(source.requests.at(-1)).toMatchObject({ status: 206, sent: LAYER.length - SOME })
  })

  test('goes on as often as it gets further', async () => {
    const { target, copy } = await scene()
    target.fail('PUT uploads', { kind: 'reset-upload', afterBytes: 400_000 }, 6)
    expect(await copy()).toBe('copied')
    expect(target.count('PUT uploads')).toBe(7)
    expect(holds(target, digestOf(LAYER))).toBe(true)
  })

  test('goes on from a source without ranges, too', async () => {
    const { target, copy } = await scene({ ranges: 'ignored' })
    target.fail('PUT uploads', { kind: 'reset-upload', afterBytes: SOME })
    expect(await copy()).toBe('copied')
    expect(holds(target, digestOf(LAYER))).toBe(true)
    expect(target.requests.at(-1)?.received).toBe(LAYER.length - SOME)
  })

  test.each(['forgets', 'refuses'] as const)('starts anew where the target %s what it had', async (uploads) => {
    const { target, copy } = await scene({}, { uploads })
    target.fail('PUT uploads', { kind: 'reset-upload', afterBytes: SOME })
    expect(await copy()).toBe('copied')
    expect(target.count('POST uploads')).toBe(2)
    expect(holds(target, digestOf(LAYER))).toBe(true)
  })

  test('is found there when only the answer was lost', async () => {
    const { source, target, copy } = await scene()
    target.fail('PUT uploads', { kind: 'answer-lost' })
    expect(await copy()).toBe('copied')
    expect(source.requests).toHaveLength(1)
    expect(target.kinds.at(-1)).toBe('HEAD blobs')
  })

  test.each([500, 503])('is sent again after a %d', async (status) => {
    const { target, copy } = await scene()
    target.fail('PUT uploads', { kind: 'status', status })
    expect(await copy()).toBe('copied')
    expect(target.count('PUT uploads')).toBe(2)
  })

  test('ends after four tries that came no further, and names the target', async () => {
    const { target, copy } = await scene({}, { uploads: 'forgets' })
    target.fail('PUT uploads', { kind: 'reset' }, 4)
    await expect(copy()).rejects.toMatchObject({
      code: 'E_REGISTRY',
      message: expect.stringContaining(`${target.host} closed the connection`),
    })
    expect(target.count('PUT uploads')).toBe(4)
  })
})

describe('a source in trouble', () => {
  test('that breaks off is read on from there', async () => {
    const { source, target, copy } = await scene()
    source.fail('GET blobs', { kind: 'cut-off', afterBytes: SOME })
    expect(await copy()).toBe('copied')
    expect(holds(target, digestOf(LAYER))).toBe(true)
  })

  test('that keeps breaking off is named, not the target', async () => {
    const { source, copy } = await scene({}, { uploads: 'forgets' })
    source.fail('GET blobs', { kind: 'cut-off', afterBytes: SOME }, 4)
    await expect(copy()).rejects.toMatchObject({
      message: expect.stringContaining(`${source.host} closed the connection`),
    })
  })

  test('that sends other bytes is found out before the target has them all', async () => {
    const { source, target, blob, copy } = await scene()
    source.removeBlob('team', blob.digest)
    source.addBlobAs('team', blob.digest, randomBytes(LAYER.length))
    await expect(copy()).rejects.toMatchObject({ message: expect.stringContaining('with bytes whose digest is') })
    expect(target.blob('app', blob.digest)).toBeUndefined()
    expect(target.requests.filter(({ kind, status }) => kind === 'PUT uploads' && status !== 0)).toEqual([])
  })

  test.each([
    ['less', LAYER.subarray(0, SOME)],
    ['more', Buffer.concat([LAYER, LAYER])],
  ])('that sends %s than the descriptor says is an error', async (_, bytes) => {
    const { source, blob, copy } = await scene()
    source.addBlobAs('team', blob.digest, bytes)
    await expect(copy()).rejects.toMatchObject({ code: 'E_REGISTRY', message: expect.stringMatching(/bytes/) })
  })

  test('that has no such layer any more says so', async () => {
    const { source, blob, copy } = await scene()
    source.removeBlob('team', blob.digest)
    await expect(copy()).rejects.toMatchObject({ message: expect.stringContaining('a layer of') })
  })

  test('that refuses the login is an error about the login', async () => {
    const { source, copy } = await scene()
    source.fail('GET blobs', { kind: 'status', status: 403, code: 'DENIED' })
    await expect(copy()).rejects.toMatchObject({ code: 'E_REGISTRY_AUTH', status: 403 })
  })

  test('that stalls is given up after the time without a byte', async () => {
    const { source, copy } = await scene({}, {}, LAYER, { idleTimeoutMs: 60 })
    source.fail('GET blobs', { kind: 'stalled' }, 4)
    await expect(copy()).rejects.toMatchObject({ message: expect.stringContaining('did not answer in time') })
  })
})

test('a target that does not let us push is an error before anything is read', async () => {
  const { source, target, copy } = await scene()
  target.fail('POST uploads', { kind: 'status', status: 403, code: 'DENIED' })
  await expect(copy()).rejects.toMatchObject({ code: 'E_REGISTRY_AUTH' })
  expect(source.requests).toEqual([])
})

test('within a registry a layer is sent where it is not mounted', async () => {
  const fake = await started({ mounts: 'refuse' })
  const blob = fake.addBlob('team', LAYER)
  const to = { registry: fake.host, path: 'app' }
  expect(await client().copyBlob(to, blob, { registry: fake.host, path: 'team' })).toBe('copied')
  expect(holds(fake, blob.digest)).toBe(true)
})

test('many layers within a registry that does not mount never wait for each other', async () => {
  const fake = await started({ mounts: 'refuse', latencyMs: 1 })
  const blobs = Array.from({ length: 30 }, () => fake.addBlob('team', randomBytes(200_000)))
  const registry = client()
  const to = { registry: fake.host, path: 'app' }
  const from = { registry: fake.host, path: 'team' }
  const moves = await Promise.all(blobs.map((blob) => registry.copyBlob(to, blob, from)))
  expect(new Set(moves)).toEqual(new Set(['copied']))
  expect(fake.mostAtOnce).toBeLessThanOrEqual(8)
  expect(fake.connections).toBeLessThanOrEqual(8)
})

test('a cancelled copy ends with E_CANCELLED', async () => {
  const cancel = new AbortController()
  const { source, copy } = await scene({}, {}, LAYER, { signal: cancel.signal })
  source.fail('GET blobs', { kind: 'stalled' })
  const end = copy().catch((error: unknown) => error)
  while (source.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  cancel.abort()
  expect(await end).toMatchObject({ code: 'E_CANCELLED' })
})

async function scene(
  ofSource: RegistryFakeOptions = {},
  ofTarget: RegistryFakeOptions = {},
  content: Buffer = LAYER,
  options: HttpRegistryOptions = {},
) {
  const [source, target] = [await started(ofSource), await started(ofTarget)]
  const blob = source.addBlob('team', content)
  const registry = client(options)
  const copy = () =>
    registry.copyBlob({ registry: target.host, path: 'app' }, blob, { registry: source.host, path: 'team' })
  return { source, target, blob, copy }
}

/** By digest: comparing megabytes byte by byte takes jest seconds. */
function holds(fake: RegistryFake, digest: Digest): boolean {
  const bytes = fake.blob('app', digest)
  return bytes !== undefined && digestOf(bytes) === digest
}

async function started(options: RegistryFakeOptions = {}): Promise<RegistryFake> {
  const fake = await startRegistryFake(options)
  fakes.push(fake)
  return fake
}

function client(options: HttpRegistryOptions = {}): HttpRegistry {
  return new HttpRegistry({ sleep: async () => undefined, random: () => 1, ...options })
}
