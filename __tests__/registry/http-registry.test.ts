import { afterEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { ImageReference } from '../../src/registry/reference.ts'
import { RegistryError } from '../../src/registry/registry-error.ts'
import type { HttpRegistryOptions } from '../../src/registry/registry-transport.ts'
import { type Fault, type RegistryFake, type RegistryFakeOptions, startRegistryFake } from '../support/registry-fake.ts'

const REPOSITORY = 'team/app'
const fakes: RegistryFake[] = []

afterEach(async () => {
  await Promise.all(fakes.splice(0).map((fake) => fake.close()))
})

describe('looking up an image', () => {
  test('tells when the request has gone out, while its answer is still waited for', async () => {
    const fake = await started({ latencyMs: 50 })
    fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2 })
    const seen: string[] = []
    const looking = client({ onWaiting: () => void seen.push('waiting') }).head(at(fake, '1'))
    await looking.then(() => void seen.push('answered'))
    expect(seen).toEqual(['waiting', 'answered'])
  })

  test.each([OCI_INDEX, DOCKER_INDEX, OCI_MANIFEST, DOCKER_MANIFEST])(
    'one HEAD finds a tag of type %s',
    async (type) => {
      const fake = await started()
      const digest = fake.addManifest(REPOSITORY, '1', type, { schemaVersion: 2 })
      expect(await client().head(at(fake, '1'))).toEqual({ mediaType: type, digest, size: 19 })
      expect(fake.kinds).toEqual(['HEAD manifests'])
    },
  )

  test('a missing tag and a missing repository are undefined, to HEAD and to GET', async () => {
    const fake = await started()
    fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2 })
    const registry = client()
    const elsewhere = { registry: fake.host, path: 'no/such', tag: '1' }
    expect(await registry.head(at(fake, '2'))).toBeUndefined()
    expect(await registry.manifest(at(fake, '2'))).toBeUndefined()
    expect(await registry.head(elsewhere)).toBeUndefined()
    expect(await registry.manifest(elsewhere)).toBeUndefined()
    expect(await registry.blob(elsewhere, digestOf('gone'))).toBeUndefined()
    expect(fake.requests).toHaveLength(5)
  })

  test.each(['docker-content-digest', 'content-length', 'content-type'])(
    'a registry that leaves out %s is asked for the manifest itself',
    async (header) => {
      const fake = await started({ without: [header] })
      const content = { schemaVersion: 2, mediaType: OCI_MANIFEST }
      const digest = fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, content)
      const size = JSON.stringify(content).length
      expect(await client().head(at(fake, '1'))).toEqual({ mediaType: OCI_MANIFEST, digest, size })
      expect(fake.kinds).toEqual(['HEAD manifests', 'GET manifests'])
    },
  )

  test('a manifest by digest comes as its own bytes', async () => {
    const fake = await started()
    const digest = fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2, x: 'ü' })
    const manifest = await client().manifest({ registry: fake.host, path: REPOSITORY, digest })
    expect(manifest?.digest).toBe(digest)
    expect(digestOf(manifest?.bytes ?? '')).toBe(digest)
  })

  test('a manifest with other bytes than its digest is refused', async () => {
    const fake = await started()
    const digest = fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2, right: true })
    fake.fail('GET manifests', { kind: 'wrong-bytes' })
    const error = await failure(client().manifest({ registry: fake.host, path: REPOSITORY, digest }))
    expect(error.message).toContain(`whose digest is ${digestOf('{"schemaVersion":2}')}, not ${digest}`)
  })

  test('a blob with other bytes than its digest is refused', async () => {
    const fake = await started()
    const { digest } = fake.addBlob(REPOSITORY, 'config')
    fake.fail('GET blobs', { kind: 'wrong-bytes' })
    const error = await failure(client().blob({ registry: fake.host, path: REPOSITORY }, digest))
    expect(error.code).toBe('E_REGISTRY')
    expect(error.message).toContain('whose digest is')
  })

  test('an HTML page is an error that names the host, not a manifest', async () => {
    const fake = await started()
    fake.fail('HEAD manifests', { kind: 'html' })
    fake.fail('GET manifests', { kind: 'html' })
    const error = await failure(client().head(at(fake, '1')))
    expect(error.message).toBe(`GET http://${fake.host}/v2/${REPOSITORY}/manifests/1 was answered with an HTML page`)
    expect(error.hint).toContain(fake.host)
  })

  test.each([
    ['missing tag', 404, 'MANIFEST_UNKNOWN', 'manifest unknown'],
    ['missing repository', 404, 'NAME_UNKNOWN', 'repository name not known to registry'],
    ['hidden repository', 404, 'NAME_UNKNOWN', 'repository name not known to registry'],
    ['repository that Harbor does not know', 404, 'NOT_FOUND', 'repository team/app not found'],
    ['repository that an older Harbor does not know', 500, 'UNKNOWN', 'repository team/app not found'],
  ])('a %s is undefined, whatever the registry calls it', async (_, status, code, message) => {
    const fake = await started()
    const fault = { kind: 'status', status, code, message } as const
    for (const kind of ['HEAD manifests', 'GET manifests', 'GET manifests'] as const) fake.fail(kind, fault)
    expect(await client().head(at(fake, '1'))).toBeUndefined()
    expect(await client().manifest(at(fake, '1'))).toBeUndefined()
  })

  test.each([401, 403])('a repository hidden behind a %d is no missing one', async (status) => {
    const fake = await started()
    for (const kind of ['HEAD manifests', 'GET manifests'] as const)
      fake.fail(kind, { kind: 'status', status, code: 'DENIED' })
    expect((await failure(client().head(at(fake, '1')))).code).toBe('E_REGISTRY_AUTH')
  })

  test.each(['HEAD manifests', 'GET manifests'] as const)(
    'a web site’s 404 to a %s is an error, not a missing image',
    async (kind) => {
      const fake = await started()
      fake.fail(kind, { kind: 'html', status: 404 })
      const asked = kind === 'HEAD manifests' ? client().head(at(fake, '1')) : client().manifest(at(fake, '1'))
      expect((await failure(asked)).hint).toContain('An HTML page comes from')
    },
  )

  test('a manifest that says something else of itself than its headers do is refused', async () => {
    const fake = await started()
    fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2, mediaType: OCI_INDEX })
    const error = await failure(client().manifest(at(fake, '1')))
    expect(error.message).toContain(`is called ${OCI_MANIFEST}, but says of itself ${OCI_INDEX}`)
  })

  test('parameters of a media type are passed over', async () => {
    const fake = await started()
    fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2 })
    fake.fail('HEAD manifests', {
      kind: 'status',
      status: 200,
      headers: {
        'content-type': `${OCI_MANIFEST}; charset=utf-8`,
        'docker-content-digest': digestOf('x'),
        'content-length': '19',
      },
    })
    expect(await client().head(at(fake, '1'))).toMatchObject({ mediaType: OCI_MANIFEST, digest: digestOf('x') })
  })

  test('a blob is followed to its storage on another origin, where the login is not sent', async () => {
    const storage = await started()
    const { digest } = storage.addBlob(REPOSITORY, 'layer')
    const fake = await started({ blobStorage: `http://localhost:${storage.host.split(':')[1]}`, auth: LOGIN })
    fake.addBlob(REPOSITORY, 'layer')
    const bytes = await client({ credentials: USER }).blob({ registry: fake.host, path: REPOSITORY }, digest)
    expect(new TextDecoder().decode(bytes)).toBe('layer')
    expect(fake.requests.at(-1)?.authorization).toContain('Basic ')
    expect(storage.requests.map(({ authorization }) => authorization)).toEqual([''])
  })

  test('a storage address with a signature does not show in an error', async () => {
    const storage = await started()
    storage.fail('GET blobs', { kind: 'status', status: 403, code: 'Expired' })
    const fake = await started({ blobStorage: `http://${storage.host}` })
    const { digest } = fake.addBlob(REPOSITORY, 'layer')
    const error = await failure(client().blob({ registry: fake.host, path: REPOSITORY }, digest))
    expect(shown(error)).not.toContain('signed-value')
  })
})

describe('a trouble that passes', () => {
  test.each<[string, Fault]>([
    ['500', { kind: 'status', status: 500 }],
    ['502', { kind: 'status', status: 502 }],
    ['503', { kind: 'status', status: 503 }],
    ['504', { kind: 'status', status: 504 }],
    ['429', { kind: 'status', status: 429 }],
    ['a reset', { kind: 'reset' }],
    ['a cut-off body', { kind: 'cut-off' }],
  ])('%s is tried again until the fourth try', async (_, fault) => {
    const fake = await started()
    const digest = fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2 })
    fake.fail('GET manifests', fault, 3)
    const waits: number[] = []
    const manifest = await client({ sleep: async (ms) => waits.push(ms) }).manifest(at(fake, '1'))
    expect(manifest?.digest).toBe(digest)
    expect(fake.count('GET manifests')).toBe(4)
    expect(waits).toEqual([250, 500, 1000])
  })

  test('Retry-After says how long to wait', async () => {
    const fake = await started()
    fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2 })
    fake.fail('HEAD manifests', { kind: 'status', status: 429, headers: { 'retry-after': '7' } })
    const waits: number[] = []
    await client({ sleep: async (ms) => waits.push(ms) }).head(at(fake, '1'))
    expect(waits).toEqual([7000])
  })

  test.each(['trickle', 'stalled'] as const)('an answer that comes too slowly (%s) is given up', async (kind) => {
    const fake = await started()
    fake.fail('GET manifests', { kind }, 4)
    const error = await failure(client({ tryTimeoutMs: 250 }).manifest(at(fake, '1')))
    expect(error.message).toContain(`${fake.host} did not answer in time`)
    expect(fake.count('GET manifests')).toBe(4)
  })

  test('Retry-After may be a date', async () => {
    const fake = await started()
    fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2 })
    const now = Date.parse('2026-01-01T00:00:00Z')
    fake.fail('HEAD manifests', {
      kind: 'status',
      status: 503,
      headers: { 'retry-after': new Date(now + 9000).toUTCString() },
    })
    const waits: number[] = []
    await client({ sleep: async (ms) => waits.push(ms), clock: { now: () => now } }).head(at(fake, '1'))
    expect(waits).toEqual([9000])
  })

  test('a registry that stays silent is tried four times, then named', async () => {
    const fake = await started()
    fake.fail('HEAD manifests', { kind: 'silent' }, 4)
    const error = await failure(client({ tryTimeoutMs: 250 }).head(at(fake, '1')))
    expect(error.message).toContain(`${fake.host} did not answer in time`)
    expect(fake.count('HEAD manifests')).toBe(4)
  })
})

describe('a trouble that stays', () => {
  test('ends after four tries, with the status and the registry’s own words', async () => {
    const fake = await started()
    fake.fail('GET manifests', { kind: 'status', status: 503, code: 'UNAVAILABLE', message: 'storage is down' }, 4)
    const error = await failure(client().manifest(at(fake, '1')))
    expect(error).toMatchObject({
      code: 'E_REGISTRY',
      status: 503,
      registryCode: 'UNAVAILABLE',
      registryMessage: 'storage is down',
    })
    expect(error.message).toBe(
      `GET http://${fake.host}/v2/${REPOSITORY}/manifests/1 was answered 503 UNAVAILABLE: storage is down`,
    )
    expect(fake.requests).toHaveLength(4)
  })

  test.each([400, 405, 406, 501])(
    'a %d is not tried again; a GET finds the words that a HEAD has not',
    async (status) => {
      const fake = await started()
      for (const kind of ['HEAD manifests', 'GET manifests'] as const) {
        fake.fail(kind, { kind: 'status', status, code: 'OWN_CODE', message: 'own words' })
      }
      const error = await failure(client().head(at(fake, '1')))
      expect(error).toMatchObject({ status, registryCode: 'OWN_CODE', registryMessage: 'own words' })
      expect(error.code).toBe('E_REGISTRY')
      expect(fake.kinds).toEqual(['HEAD manifests', 'GET manifests'])
    },
  )

  test.each([405, 500])('a registry that answers %d to HEAD only is asked by GET', async (status) => {
    const fake = await started()
    const digest = fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2 })
    fake.fail('HEAD manifests', { kind: 'status', status })
    expect(await client().head(at(fake, '1'))).toMatchObject({ digest })
    expect(fake.kinds).toEqual(['HEAD manifests', 'GET manifests'])
  })

  test('a 403 is not tried again, nor asked in another way', async () => {
    const fake = await started()
    fake.fail('HEAD manifests', { kind: 'status', status: 403 })
    expect(await failure(client().head(at(fake, '1')))).toMatchObject({ status: 403, code: 'E_REGISTRY_AUTH' })
    expect(fake.requests).toHaveLength(1)
  })

  test('a 403 tells how to log in', async () => {
    const fake = await started()
    fake.fail('GET manifests', { kind: 'status', status: 403, code: 'DENIED' })
    expect((await failure(client().manifest(at(fake, '1')))).hint).toContain(`docker login ${fake.host}`)
  })

  test('a registry that is not there is named at once', async () => {
    const fake = await started()
    const reference = at(fake, '1')
    await fake.close()
    fakes.length = 0
    const waits: number[] = []
    const error = await failure(client({ sleep: async (ms) => waits.push(ms) }).head(reference))
    expect(error.message).toContain(`nothing listens at ${fake.host} (ECONNREFUSED)`)
    expect(waits).toEqual([])
  })

  test('a cancelled job does not wait for the next try', async () => {
    const fake = await started()
    const cancel = new AbortController()
    const busy = { kind: 'status', status: 429, headers: { 'retry-after': '30' } } as const
    fake.fail('HEAD manifests', busy, 4)
    const registry = new HttpRegistry({ signal: cancel.signal })
    const end = registry.head(at(fake, '1')).catch((error: unknown) => error)
    while (fake.requests[0]?.status !== 429) await new Promise((resolve) => setTimeout(resolve, 5))
    cancel.abort()
    expect(await end).toMatchObject({ code: 'E_CANCELLED' })
    expect(fake.requests).toHaveLength(1)
  })

  test('a cancelled job ends its requests with E_CANCELLED', async () => {
    const fake = await started()
    const cancel = new AbortController()
    fake.fail('HEAD manifests', { kind: 'silent' })
    fake.fail('HEAD manifests', { kind: 'meanwhile', act: () => cancel.abort() })
    const registry = client({ signal: cancel.signal })
    const both = Promise.allSettled([registry.head(at(fake, '1')), registry.head(at(fake, '2'))])
    const ends = (await both).map((end) => (end.status === 'rejected' ? end.reason.code : 'fine'))
    expect(ends).toContain('E_CANCELLED')
  })
})

describe('writing', () => {
  test('a blob is uploaded once and found the next time', async () => {
    const fake = await started()
    const repository = { registry: fake.host, path: REPOSITORY }
    const digest = await client().putBlob(repository, Buffer.from('config'))
    await client().putBlob(repository, Buffer.from('config'))
    expect(fake.blob(REPOSITORY, digest)).toEqual(Buffer.from('config'))
    expect(fake.kinds).toEqual(['HEAD blobs', 'POST uploads', 'PUT uploads', 'HEAD blobs'])
  })

  test.each(['absolute', 'relative'] as const)('an upload address may be %s', async (uploadLocation) => {
    const fake = await started({ uploadLocation })
    const digest = await client().putBlob({ registry: fake.host, path: REPOSITORY }, Buffer.from('config'))
    expect(fake.blob(REPOSITORY, digest)).toBeDefined()
  })

  test('an upload address on another origin gets the bytes, not the login', async () => {
    const fake = await started({ uploadLocation: 'elsewhere', auth: LOGIN })
    const error = await failure(
      client({ credentials: USER }).putBlob({ registry: fake.host, path: REPOSITORY }, Buffer.from('config')),
    )
    expect(error.request).toContain('PUT http://localhost:')
    expect(
      fake.requests.filter(({ kind }) => kind === 'PUT uploads').map(({ authorization }) => authorization),
    ).toEqual([''])
  })

  test('an upload whose answer was lost is not made twice', async () => {
    const fake = await started()
    fake.fail('PUT uploads', { kind: 'answer-lost' })
    const digest = await client().putBlob({ registry: fake.host, path: REPOSITORY }, Buffer.from('config'))
    expect(fake.blob(REPOSITORY, digest)).toBeDefined()
    expect(fake.count('POST uploads')).toBe(1)
    expect(fake.kinds.at(-1)).toBe('HEAD blobs')
  })

  test('a manifest is put under its tag with its media type', async () => {
    const fake = await started()
    const { digest: config, size } = fake.addBlob(REPOSITORY, '{}')
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config: { digest: config, size }, layers: [] }))
    const digest = await client().putManifest(at(fake, 'new'), { mediaType: OCI_MANIFEST, bytes })
    expect(await client().head(at(fake, 'new'))).toEqual({ mediaType: OCI_MANIFEST, digest, size: bytes.length })
  })

  test('a manifest that the registry refuses is an error with its reason', async () => {
    const fake = await started()
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config: { digest: digestOf('gone') }, layers: [] }))
    const error = await failure(client().putManifest(at(fake, 'new'), { mediaType: OCI_MANIFEST, bytes }))
    expect(error).toMatchObject({ status: 400, registryCode: 'MANIFEST_BLOB_UNKNOWN' })
  })

  test('a blob of a neighbour is mounted in one request', async () => {
    const fake = await started()
    const { digest } = fake.addBlob('other/app', 'layer')
    const to = { registry: fake.host, path: REPOSITORY }
    expect(await client().mountBlob(to, digest, { registry: fake.host, path: 'other/app' })).toBe('mounted')
    expect(fake.blob(REPOSITORY, digest)).toBeDefined()
    expect(fake.kinds).toEqual(['POST uploads'])
  })

  test('a registry that does not mount says so', async () => {
    const fake = await started({ mounts: 'refuse' })
    const { digest } = fake.addBlob('other/app', 'layer')
    const to = { registry: fake.host, path: REPOSITORY }
    expect(await client().mountBlob(to, digest, { registry: fake.host, path: 'other/app' })).toBe('refused')
  })
})

test('no more than 8 requests are under way to a registry', async () => {
  const fake = await started({ latencyMs: 5 })
  fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2 })
  const registry = client()
  await Promise.all(Array.from({ length: 60 }, () => registry.head(at(fake, '1'))))
  expect(fake.requests).toHaveLength(60)
  expect(fake.mostAtOnce).toBe(8)
})

test('https is used for every host that is not loopback, unless plain http is asked for', async () => {
  const reference = { registry: 'registry.invalid:1', path: 'x', tag: '1' }
  const secure = await failure(client().head(reference))
  const plain = await failure(client({ plainHttp: ['registry.invalid:1'] }).head(reference))
  expect(secure.request).toBe('HEAD https://registry.invalid:1/v2/x/manifests/1')
  expect(plain.request).toBe('HEAD http://registry.invalid:1/v2/x/manifests/1')
})

const LOGIN = { kind: 'basic', username: 'user', password: 'not-so-secret' } as const
const USER = {
  credentialFor: async () => ({ kind: 'password', username: 'user', password: 'not-so-secret' }) as const,
}

async function started(options: RegistryFakeOptions = {}): Promise<RegistryFake> {
  const fake = await startRegistryFake(options)
  fakes.push(fake)
  return fake
}

function client(options: HttpRegistryOptions = {}): HttpRegistry {
  return new HttpRegistry({ sleep: async () => undefined, random: () => 1, ...options })
}

function at(fake: RegistryFake, tag: string): ImageReference {
  return { registry: fake.host, path: REPOSITORY, tag }
}

async function failure(promise: Promise<unknown>): Promise<RegistryError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof RegistryError)) throw new Error(`expected a RegistryError, got ${error}`)
  return error
}

function shown(error: RegistryError): string {
  return [error.message, error.hint, error.request, error.registryMessage, String(error.cause), error.stack].join('\n')
}
