import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { dockerCertificates } from '../../src/registry/docker-certificates.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { HttpRegistryOptions } from '../../src/registry/registry-transport.ts'
import { type ProxyFake, startProxyFake } from '../support/proxy-fake.ts'
import { type RegistryFake, type RegistryFakeOptions, startRegistryFake } from '../support/registry-fake.ts'
import { makeCertificate, type TestCertificate } from '../support/test-certificate.ts'

// Leads to this machine, but is no loopback name: the client speaks TLS there, as to any registry.
const SECURE_HOST = '0.0.0.0'
const open: { close(): Promise<void> }[] = []
let folder: string
let server: TestCertificate
let stranger: TestCertificate

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connections-'))
  server = await makeCertificate([`IP:${SECURE_HOST}`, 'DNS:registry.test.example'])
  stranger = await makeCertificate(['DNS:client.test.example'])
})

afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe('connections', () => {
  test('are kept for the next request', async () => {
    const fake = await registryFake()
    const registry = client()
    for (let n = 0; n < 5; n += 1) await registry.head(at(fake.host))
    expect([fake.requests.length, fake.connections]).toEqual([5, 1])
  })

  test('are at most 8 for many requests', async () => {
    const fake = await registryFake({ latencyMs: 3 })
    const registry = client()
    await Promise.all(Array.from({ length: 100 }, () => registry.head(at(fake.host))))
    expect(fake.connections).toBeLessThanOrEqual(8)
  })

  test('are taken by few requests that don’t know the way yet: the others wait for what those learn', async () => {
    const auth = { kind: 'bearer', username: 'user', password: 'not-so-secret' } as const
    const fake = await registryFake({ auth, latencyMs: 3 })
    const registry = client({ credentials: { credentialFor: async () => ({ ...auth, kind: 'password' }) } })
    await Promise.all(Array.from({ length: 200 }, () => registry.head(at(fake.host))))
    expect(fake.requests.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(8)
    expect(fake.count('GET token')).toBe(1)
  })

  test('hold no process that has nothing else to do', async () => {
    const fake = await registryFake()
    expect(await runProgram(fake.host, {})).toBe('found')
  }, 20_000)
})

describe('a registry with TLS', () => {
  test('whose certificate nobody vouches for is an error that says where to put the CA', async () => {
    const fake = await registryFake({ tls: server })
    const error = await client()
      .head(at(secure(fake)))
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'E_REGISTRY',
      message: expect.stringContaining('is not trusted'),
      hint: expect.stringContaining(`/etc/docker/certs.d/${secure(fake)}`),
    })
    expect(fake.requests).toEqual([])
  })

  test('is trusted with the CA that Docker was given for it', async () => {
    const fake = await registryFake({ tls: server })
    await docker(secure(fake), { 'ca.crt': server.cert })
    expect(await trusting().head(at(secure(fake)))).toBeDefined()
  })

  test('is trusted where the operating system trusts it, as Docker does', async () => {
    const fake = await registryFake({ tls: server })
    const ca = join(folder, 'system.pem')
    await writeFile(ca, server.cert)
    expect(await runProgram(secure(fake), { SSL_CERT_FILE: ca, SSL_CERT_DIR: join(folder, 'none') })).toBe('found')
  }, 20_000)

  test('is not trusted with the CA of another host', async () => {
    const fake = await registryFake({ tls: server })
    await docker('elsewhere.test.example', { 'ca.crt': server.cert })
    await expect(trusting().head(at(secure(fake)))).rejects.toMatchObject({ code: 'E_REGISTRY' })
  })

  test('that wants a client certificate is shown Docker’s', async () => {
    const fake = await registryFake({ tls: { ...server, clientCa: stranger.cert } })
    await docker(secure(fake), { 'ca.crt': server.cert, 'client.cert': stranger.cert, 'client.key': stranger.key })
    expect(await trusting().head(at(secure(fake)))).toBeDefined()
  })

  test('that wants a client certificate where there is none says so', async () => {
    const fake = await registryFake({ tls: { ...server, clientCa: stranger.cert } })
    await docker(secure(fake), { 'ca.crt': server.cert })
    await expect(trusting().head(at(secure(fake)))).rejects.toMatchObject({
      message: expect.stringContaining('wants a client certificate'),
    })
  })

  test('a client certificate without its key is named', async () => {
    const fake = await registryFake({ tls: server })
    await docker(secure(fake), { 'client.cert': stranger.cert })
    await expect(trusting().head(at(secure(fake)))).rejects.toMatchObject({
      code: 'E_REGISTRY',
      message: expect.stringContaining('has no client.key beside it'),
    })
  })

  test('plain http at a port with TLS, and TLS at one without, are told apart', async () => {
    const plain = await registryFake()
    await expect(client().head(at(secure(plain)))).rejects.toMatchObject({
      message: expect.stringContaining('does not speak TLS'),
    })
  })
})

describe('a proxy', () => {
  test('carries TLS through a tunnel', async () => {
    const fake = await registryFake({ tls: server })
    const proxy = await proxyFake(fake)
    await docker('registry.test.example', { 'ca.crt': server.cert })
    const registry = trusting({ proxies: { HTTPS_PROXY: proxy.url } })
    expect(await registry.head(at('registry.test.example'))).toBeDefined()
    expect(proxy.seen).toEqual([{ line: 'CONNECT registry.test.example:443', login: '' }])
  })

  test('carries plain http, with its own login, which the registry doesn’t see', async () => {
    const fake = await registryFake()
    const proxy = await proxyFake(fake)
    const proxies = { http_proxy: proxy.url.replace('http://', 'http://me:proxy-password@') }
    const registry = client({ proxies, plainHttp: ['registry.test.example'] })
    expect(await registry.head(at('registry.test.example'))).toBeDefined()
    const login = `Basic ${Buffer.from('me:proxy-password').toString('base64')}`
    expect(proxy.seen).toEqual([{ line: 'HEAD http://registry.test.example/v2/team/app/manifests/1', login }])
  })

  test('is left out for this machine and for what NO_PROXY names', async () => {
    const fake = await registryFake({ tls: server })
    const plain = await registryFake()
    const proxy = await proxyFake(fake)
    await docker(secure(fake), { 'ca.crt': server.cert })
    const proxies = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: `a.example,${SECURE_HOST}` }
    const registry = trusting({ proxies })
    expect(await registry.head(at(plain.host))).toBeDefined()
    expect(await registry.head(at(secure(fake)))).toBeDefined()
    expect(proxy.seen).toEqual([])
  })

  test('that refuses is named, without its login', async () => {
    const fake = await registryFake({ tls: server })
    const proxy = await proxyFake(fake, 407)
    const proxies = { HTTPS_PROXY: proxy.url.replace('http://', 'http://me:proxy-password@') }
    const error = await client({ proxies })
      .head(at('registry.test.example'))
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'E_REGISTRY',
      message: expect.stringContaining('the proxy let nothing through to registry.test.example'),
      hint: expect.stringContaining('NO_PROXY'),
    })
    const shown = error instanceof Error ? [error.message, String(error.cause), error.stack].join() : ''
    expect(shown).not.toContain('proxy-password')
  })
})

/** Looks an image up in a process of its own, which must end by itself. */
async function runProgram(host: string, env: Readonly<Record<string, string>>): Promise<string> {
  const program = join(folder, 'program.ts')
  const source = join(import.meta.dirname, '../../src/registry/http-registry.ts')
  await writeFile(
    program,
    `import { HttpRegistry } from ${JSON.stringify(source)}
const found = await new HttpRegistry().head(${JSON.stringify(at(host))})
console.log(found === undefined ? 'missing' : 'found')`,
  )
  // Ends long before the fake closes its idle connections (5 s), or is killed and fails.
  const options = { timeout: 4_500, env: { ...process.env, ...env } }
  return (await promisify(execFile)(process.execPath, [program], options)).stdout.trim()
}

const at = (registry: string) => ({ registry, path: 'team/app', tag: '1' })
const secure = (fake: RegistryFake) => fake.host.replace('127.0.0.1', SECURE_HOST)

async function docker(host: string, files: Readonly<Record<string, string>>): Promise<void> {
  await rm(join(folder, 'certs.d'), { recursive: true, force: true })
  await mkdir(join(folder, 'certs.d', host), { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'certs.d', host, name), text)
}

async function registryFake(options: RegistryFakeOptions = {}): Promise<RegistryFake> {
  const fake = await startRegistryFake(options)
  fake.addManifest('team/app', '1', OCI_MANIFEST, { schemaVersion: 2 })
  open.push(fake)
  return fake
}

async function proxyFake(target: RegistryFake, refuse?: 407): Promise<ProxyFake> {
  const proxy = await startProxyFake(target.host, refuse)
  open.push(proxy)
  return proxy
}

function client(options: HttpRegistryOptions = {}): HttpRegistry {
  return new HttpRegistry({ sleep: async () => undefined, ...options })
}

function trusting(options: HttpRegistryOptions = {}): HttpRegistry {
  return client({ certificates: dockerCertificates([join(folder, 'none'), join(folder, 'certs.d')]), ...options })
}
