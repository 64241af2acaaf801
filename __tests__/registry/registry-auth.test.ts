import { afterEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import type { Credential, CredentialSource } from '../../src/registry/credentials.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { ImageReference } from '../../src/registry/reference.ts'
import { RegistryError } from '../../src/registry/registry-error.ts'
import type { HttpRegistryOptions } from '../../src/registry/registry-transport.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'
import type { FakeAuth } from '../support/registry-fake-auth.ts'

const REPOSITORY = 'team/app'
const PASSWORD = 'pass-word-of-the-test'
const BEARER: FakeAuth = { kind: 'bearer', username: 'user', password: PASSWORD }
const LOGIN: Credential = { kind: 'password', username: 'user', password: PASSWORD }
const fakes: RegistryFake[] = []

afterEach(async () => {
  await Promise.all(fakes.splice(0).map((fake) => fake.close()))
})

describe('when the registry uses basic auth', () => {
  test('the login is sent after the first 401, and at once from then on', async () => {
    const fake = await started({ ...BEARER, kind: 'basic' })
    const registry = client(LOGIN)
    await registry.head(at(fake))
    await registry.head(at(fake))
    expect(fake.requests.map(({ status }) => status)).toEqual([401, 200, 200])
  })

  test('a wrong login is sent once, and the error does not show it', async () => {
    const fake = await started({ ...BEARER, kind: 'basic' })
    const error = await failure(client({ ...LOGIN, password: 'wrong-password' }).head(at(fake)))
    expect(error).toMatchObject({ code: 'E_REGISTRY_AUTH', status: 401 })
    expect(error.hint).toBe(`Log in with: docker login ${fake.host}`)
    expect(fake.requests).toHaveLength(2)
    expect(shown(error)).not.toContain('wrong-password')
  })

  test('without a login there is one request and one error', async () => {
    const fake = await started({ ...BEARER, kind: 'basic' })
    expect((await failure(client(undefined).head(at(fake)))).status).toBe(401)
    expect(fake.requests).toHaveLength(1)
  })
})

describe('when the registry uses tokens', () => {
  test('one token serves all requests to a repository', async () => {
    const fake = await started(BEARER)
    const registry = client(LOGIN)
    await registry.head(at(fake))
    await registry.manifest(at(fake))
    await registry.head(at(fake))
    expect(fake.kinds).toEqual(['HEAD manifests', 'GET token', 'HEAD manifests', 'GET manifests', 'HEAD manifests'])
  })

  test('the token is asked for with the service and the narrowest scope', async () => {
    const fake = await started(BEARER)
    const registry = client(LOGIN)
    await registry.head(at(fake))
    await registry.putBlob({ registry: fake.host, path: REPOSITORY }, Buffer.from('x'))
    const scopes = fake.requests
      .filter(({ kind }) => kind === 'GET token')
      .map(({ path }) => new URL(path, 'http://x').searchParams.getAll('scope'))
    expect(scopes).toEqual([[`repository:${REPOSITORY}:pull`], [`repository:${REPOSITORY}:pull,push`]])
  })

  test('another repository costs a token, but no further 401', async () => {
    const fake = await started(BEARER)
    const registry = client(LOGIN)
    await registry.head(at(fake))
    await registry.head({ registry: fake.host, path: 'team/other', tag: '1' })
    expect(fake.requests.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'HEAD manifests 401',
      'GET token 200',
      'HEAD manifests 200',
      'GET token 200',
      'HEAD manifests 404',
    ])
  })

  test('requests at the same time share one token', async () => {
    const fake = await started(BEARER)
    const registry = client(LOGIN)
    await Promise.all(Array.from({ length: 20 }, () => registry.head(at(fake))))
    expect(fake.count('GET token')).toBe(1)
  })

  test('a public repository needs no login', async () => {
    const fake = await started({ ...BEARER, anonymousPull: true })
    expect(await client(undefined).head(at(fake))).toBeDefined()
    expect(fake.requests[1]?.authorization).toBe('')
  })

  test('an anonymous token that may not push is an error that tells how to log in', async () => {
    const fake = await started({ ...BEARER, anonymousPull: true })
    const error = await failure(client(undefined).putBlob({ registry: fake.host, path: REPOSITORY }, Buffer.from('x')))
    expect(error).toMatchObject({ code: 'E_REGISTRY_AUTH', status: 401 })
  })

  test('a token is renewed when its time is over', async () => {
    const fake = await started({ ...BEARER, expiresIn: 300 })
    let now = 1_000_000
    const registry = client(LOGIN, { clock: { now: () => now } })
    await registry.head(at(fake))
    now += 290_000
    await registry.head(at(fake))
    expect(fake.count('GET token')).toBe(1)
    now += 20_000
    await registry.head(at(fake))
    expect(fake.count('GET token')).toBe(2)
    expect(fake.requests.filter(({ status }) => status === 401)).toHaveLength(1)
  })

  test('a token that the registry no longer takes is replaced once', async () => {
    const fake = await started(BEARER)
    const registry = client(LOGIN)
    await registry.head(at(fake))
    fake.gate.revokeAll()
    expect(await registry.head(at(fake))).toBeDefined()
    expect(fake.count('GET token')).toBe(2)
  })

  test('an identity token is traded by POST, never sent to the registry', async () => {
    const fake = await started({ kind: 'bearer', identityToken: 'identity-of-the-test' })
    expect(await client({ kind: 'identity-token', token: 'identity-of-the-test' }).head(at(fake))).toBeDefined()
    expect(fake.count('POST token')).toBe(1)
    expect(fake.requests.some(({ authorization }) => authorization.includes('identity-of-the-test'))).toBe(false)
  })

  test('a token server that refuses is an error without the login in it', async () => {
    const fake = await started(BEARER)
    const error = await failure(client({ ...LOGIN, password: 'wrong-password' }).head(at(fake)))
    expect(error.message).toContain(`GET http://${fake.host}/token was answered 401`)
    // The fake's token server quotes the header that it got.
    expect(error.registryMessage).toBe('wrong login Basic ***')
    expect(shown(error)).not.toContain(Buffer.from('user:wrong-password').toString('base64'))
  })

  test('a token server with trouble is tried again', async () => {
    const fake = await started(BEARER)
    fake.fail('GET token', { kind: 'status', status: 503 }, 2)
    expect(await client(LOGIN).head(at(fake))).toBeDefined()
    expect(fake.count('GET token')).toBe(3)
    expect(fake.count('HEAD manifests')).toBe(2)
  })

  test('a token server that answers with HTML is named', async () => {
    const fake = await started(BEARER)
    fake.fail('GET token', { kind: 'html' })
    expect((await failure(client(LOGIN).head(at(fake)))).message).toContain('/token was answered with an HTML page')
  })

  test('the token does not show in an error', async () => {
    const fake = await started(BEARER)
    const registry = client(LOGIN)
    await registry.head(at(fake))
    const token = fake.gate.issued[0] ?? ''
    fake.fail('HEAD manifests', { kind: 'status', status: 400 })
    fake.fail('GET manifests', { kind: 'status', status: 400, message: `bad token ${token}` })
    const error = await failure(registry.manifest(at(fake)))
    expect(error.registryMessage).toBe('bad token ***')
    expect(shown(error)).not.toContain(token)
  })

  test('mounting asks for both repositories in one token', async () => {
    const fake = await started(BEARER)
    const { digest } = fake.addBlob('team/other', 'layer')
    const to = { registry: fake.host, path: REPOSITORY }
    expect(await client(LOGIN).mountBlob(to, digest, { registry: fake.host, path: 'team/other' })).toBe('mounted')
    expect(fake.kinds).toEqual(['POST uploads', 'GET token', 'POST uploads'])
  })
})

describe('each form of challenge', () => {
  test.each([
    [
      'several ways in one header',
      'Negotiate, Basic realm="x", Bearer realm="{realm}",service="registry.fake.example",scope="{scope}"',
    ],
    [
      'a comma and an escaped quote in a value',
      'Basic realm="a, \\"b\\"", Bearer realm="{realm}",service="registry.fake.example"',
    ],
    [
      'a token server with a query of its own',
      'Bearer realm="{realm}?account=a%20b",service="registry.fake.example",scope="{scope}"',
    ],
    ['bare values', 'Bearer realm={realm},service=registry.fake.example'],
    [
      'more actions than asked for',
      'Bearer realm="{realm}",service="registry.fake.example",scope="repository:team/app:pull,push"',
    ],
    ['no scope named', 'Bearer realm="{realm}",service="registry.fake.example"'],
    ['another order and case', 'bearer Service="registry.fake.example", Scope="{scope}", Realm="{realm}"'],
    [
      'an error beside it',
      'Bearer realm="{realm}",service="registry.fake.example",scope="{scope}",error="insufficient_scope"',
    ],
  ])('%s leads to a token', async (_, challenge) => {
    const fake = await started({ ...BEARER, challenge })
    expect(await client(LOGIN).head(at(fake))).toBeDefined()
  })

  test.each([
    ['a way that is not known', 'Negotiate'],
    ['a token server whose address is no URL', 'Bearer realm="somewhere",service="registry.fake.example"'],
  ])('%s ends in an error about the login', async (_, challenge) => {
    const fake = await started({ ...BEARER, challenge })
    expect((await failure(client(LOGIN).head(at(fake)))).code).toBe('E_REGISTRY_AUTH')
    expect(fake.requests).toHaveLength(1)
  })
})

test('a basic challenge beside an unknown one is answered', async () => {
  const fake = await started({ ...BEARER, kind: 'basic', challenge: 'Negotiate YWJj==, Basic' })
  expect(await client(LOGIN).head(at(fake))).toBeDefined()
})

test('a registry token is sent as it is, without a token server', async () => {
  const fake = await started(BEARER)
  const registry = client(LOGIN)
  await registry.head(at(fake))
  const token = fake.gate.issued[0] ?? ''
  const before = fake.count('GET token')
  expect(await client({ kind: 'registry-token', token }).head(at(fake))).toBeDefined()
  expect(fake.count('GET token')).toBe(before)
})

test('the login does not follow a redirect to another origin, nor does a token', async () => {
  const elsewhere = await startFake(undefined)
  const fake = await started(BEARER)
  const location = `http://${elsewhere.host}/v2/${REPOSITORY}/manifests/1`
  const registry = client(LOGIN)
  await registry.head(at(fake))
  fake.fail('HEAD manifests', { kind: 'status', status: 307, headers: { location } })
  expect(await registry.head(at(fake))).toBeDefined()
  expect(elsewhere.requests.map(({ authorization }) => authorization)).toEqual([''])
})

test.each([
  ['leads in a circle', (host: string) => `http://${host}/v2/${REPOSITORY}/manifests/1`, 'redirects more than 5 times'],
  ['leads out of http', () => 'file:///etc/passwd', 'leads to file:, which is not http'],
])('a redirect that %s is an error', async (_, location, problem) => {
  const fake = await startFake(undefined)
  const headers = { location: location(fake.host) }
  fake.fail('HEAD manifests', { kind: 'status', status: 307, headers }, 6)
  expect((await failure(client(undefined).head(at(fake)))).message).toContain(problem)
})

describe('logging in ahead', () => {
  const repository = (fake: RegistryFake) => ({ registry: fake.host, path: REPOSITORY })

  test('gets one token that reads and writes, for this repository alone', async () => {
    const fake = await started(BEARER)
    const registry = client(LOGIN)
    await registry.logIn(repository(fake))
    await registry.head(at(fake))
    const manifest = await registry.manifest(at(fake))
    if (manifest !== undefined) await registry.putManifest({ ...repository(fake), tag: '2' }, manifest)
    expect(fake.requests.map(({ kind, status }) => `${kind} ${status}`)).toEqual([
      'GET other 401',
      'GET token 200',
      'HEAD manifests 200',
      'GET manifests 200',
      'PUT manifests 201',
    ])
    const asked = new URL(fake.requests[1]?.path ?? '', 'http://x').searchParams.getAll('scope')
    expect(asked).toEqual([`repository:${REPOSITORY}:pull,push`])
  })

  test('is waited for by requests that come meanwhile', async () => {
    const fake = await startRegistryFake({ auth: BEARER, latencyMs: 50 })
    fakes.push(fake)
    fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2 })
    const registry = client(LOGIN)
    await Promise.all([registry.logIn(repository(fake)), registry.head(at(fake))])
    expect(fake.count('GET token')).toBe(1)
  })

  test('with a login that may not write leaves reading as it was', async () => {
    const fake = await started(BEARER)
    const registry = client(LOGIN)
    fake.fail('GET token', { kind: 'status', status: 403, code: 'DENIED' })
    await registry.logIn(repository(fake))
    expect(await registry.head(at(fake))).toBeDefined()
    expect(fake.count('GET token')).toBe(2)
  })

  test.each([
    ['a registry that is open to all', undefined, ['GET other']],
    ['one with basic auth', { ...BEARER, kind: 'basic' as const }, ['GET other']],
  ])('costs %s one request', async (_, auth, kinds) => {
    const fake = await startFake(auth)
    const registry = client(LOGIN)
    await registry.logIn(repository(fake))
    expect(fake.kinds).toEqual(kinds)
    expect(await registry.head(at(fake))).toBeDefined()
    expect(fake.requests.filter(({ status }) => status === 401)).toHaveLength(auth === undefined ? 0 : 1)
  })

  test('never fails', async () => {
    await client(LOGIN).logIn({ registry: '127.0.0.1:1', path: REPOSITORY })
  })
})

test('credentials are not read as long as the registry does not ask', async () => {
  const fake = await startFake(undefined)
  let asked = 0
  const credentials: CredentialSource = {
    credentialFor: async () => {
      asked += 1
      return LOGIN
    },
  }
  await new HttpRegistry({ credentials }).head(at(fake))
  expect(asked).toBe(0)
})

async function started(auth: FakeAuth): Promise<RegistryFake> {
  return await startFake(auth)
}

async function startFake(auth: FakeAuth | undefined): Promise<RegistryFake> {
  const fake = await startRegistryFake(auth === undefined ? {} : { auth })
  fake.addManifest(REPOSITORY, '1', OCI_MANIFEST, { schemaVersion: 2, about: digestOf('x') })
  fakes.push(fake)
  return fake
}

function client(credential: Credential | undefined, options: HttpRegistryOptions = {}): HttpRegistry {
  const credentials: CredentialSource = { credentialFor: async () => credential }
  return new HttpRegistry({ credentials, sleep: async () => undefined, random: () => 1, ...options })
}

function at(fake: RegistryFake): ImageReference {
  return { registry: fake.host, path: REPOSITORY, tag: '1' }
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
