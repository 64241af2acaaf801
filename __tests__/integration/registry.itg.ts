import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { digestOf, toDigest } from '../../src/base/digest.ts'
import { CACHE_CONFIG_MEDIA_TYPE } from '../../src/buildx/cache-config.ts'
import { tidyCache } from '../../src/buildx/tidy-cache.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { imageConfig } from '../../src/registry/image-config.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { putTags } from '../../src/registry/put-tags.ts'
import { referrersTag } from '../../src/registry/referrer-list.ts'
import { registryContract } from '../contracts/registry-contract.ts'
import { type RealRegistry, startRealRegistry } from '../support/real-registry.ts'
import { startTokenServer } from '../support/token-server.ts'

const LOGIN = { kind: 'password', username: 'user', password: 'not-so-secret' } as const
const credentials = { credentialFor: async () => LOGIN }

registryContract('a real registry', async () => {
  const { host, stop } = await startRealRegistry()
  return { host, close: stop }
})

registryContract('a real registry with htpasswd', async () => {
  const { host, stop } = await startRealRegistry({ ...LOGIN, kind: 'htpasswd' })
  return { host, credentials, close: stop }
})

registryContract('a real registry with tokens', async () => {
  const tokens = await startTokenServer(LOGIN.username, LOGIN.password)
  const { host, stop } = await startRealRegistry({ kind: 'token', ...tokens })
  const close = async () => {
    await stop()
    await tokens.stop()
  }
  return { host, credentials, close }
})

const AMD64 = { os: 'linux', architecture: 'amd64' }
const registry = new HttpRegistry()
let first: RealRegistry
let second: RealRegistry

beforeAll(async () => {
  first = await startRealRegistry()
  second = await startRealRegistry()
}, 30_000)

afterAll(async () => {
  await first.stop()
  await second.stop()
})

const at = (path: string, tag: string) => ({ registry: first.host, path, tag })

async function pushImage(path: string, tag: string, layer: Uint8Array, more: object = {}) {
  const repository = { registry: first.host, path }
  const config = Buffer.from(JSON.stringify({ ...AMD64, config: { Env: [`TAG=${tag}`] }, rootfs: { diff_ids: [] } }))
  const content = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: await registry.putBlob(repository, config),
      size: config.length,
    },
    layers: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: await registry.putBlob(repository, layer),
        size: layer.length,
      },
    ],
    ...more,
  }
  const bytes = Buffer.from(JSON.stringify(content))
  const digest = await registry.putManifest(at(path, tag), { mediaType: OCI_MANIFEST, bytes })
  return { digest, mediaType: OCI_MANIFEST, size: bytes.length }
}

describe('from one real registry to another', () => {
  test('an index comes along with its images and signatures, layers of any size as streams', async () => {
    const child = await pushImage('source/app', 'amd64', randomBytes(20_000_000))
    const manifests = [{ ...child, platform: AMD64 }]
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))
    const digest = await registry.putManifest(at('source/app', 'all'), { mediaType: OCI_INDEX, bytes })
    const said = await pushImage('source/app', 'said', Buffer.from('signature'), { subject: child })
    await pushImage('source/app', `${referrersTag(digest)}.sig`, Buffer.from('cosign'))

    const target = { registry: second.host, path: 'target/app' }
    const result = await putTags(registry, at('source/app', 'all'), [{ ...target, tag: 'v1' }])
    expect(result).toMatchObject({ kind: 'done', digest, put: [{ mounted: 0, signatures: 2 }], failed: [] })
    expect(await imageConfig(registry, { ...target, tag: 'v1' }, AMD64)).toMatchObject({
      kind: 'found',
      topDigest: digest,
      digest: child.digest,
      config: { env: ['TAG=amd64'] },
    })
    expect(await registry.referrers(target, child.digest)).toMatchObject([{ digest: said.digest }])
    expect(await registry.head({ ...target, tag: `${referrersTag(digest)}.sig` })).toBeDefined()

    const again = await putTags(registry, at('source/app', 'all'), [{ ...target, tag: 'v2' }])
    expect(again).toMatchObject({ put: [{ copied: 0, copiedBytes: 0 }], failed: [] })
  }, 30_000)

  test('a layer whose upload breaks off in the middle arrives all the same', async () => {
    const layer = await seedLayer(first.host, 20)
    const cut = await startCuttingForwarder(second.host, 5_000_000)
    const target = { registry: cut.host, path: 'cut/app' }
    expect(await registry.copyBlob(target, layer, { registry: first.host, path: 'big/app' })).toBe('copied')
    expect(cut.cuts()).toBe(1)
    expect(await registry.copyBlob({ registry: second.host, path: 'cut/app' }, layer, target)).toBe('present')
    await cut.close()
  }, 30_000)

  test('a layer takes no more memory the larger it is', async () => {
    const blobs = [await seedLayer(first.host, 10), await seedLayer(first.host, 300)]
    const folder = await mkdtemp(join(tmpdir(), 'copy-itg-'))
    const program = join(folder, 'copy.ts')
    await writeFile(program, copyProgram(first.host, second.host, blobs))
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 })
    await rm(folder, { recursive: true })
    const [small = 0, large = 0]: number[] = JSON.parse(stdout)
    expect(small).toBeGreaterThan(0)
    // 30 times the bytes: what the memory grows by is garbage that wasn't collected yet.
    expect(large - small).toBeLessThan(100_000_000)
  }, 90_000)
})

test('a platform that an image doesn’t have is no platform, and its own are named', async () => {
  await pushImage('config/app', 'v1', Buffer.from('layer'))
  expect(await imageConfig(registry, at('config/app', 'v1'), { os: 'linux', architecture: 'arm64' })).toMatchObject({
    kind: 'no-platform',
    platforms: ['linux/amd64'],
  })
})

test('a cache is tidied under its tag and clean from then on', async () => {
  const repository = { registry: first.host, path: 'cache/app' }
  const layer = await registry.putBlob(repository, Buffer.from('cached layer'))
  const records = [
    { layers: [{ layer: 0, createdAt: '2026-01-01T00:00:00Z' }], digest: digestOf('a') },
    { digest: digestOf('b'), inputs: [[{ link: 0 }]] },
  ]
  const config = Buffer.from(JSON.stringify({ layers: [{ blob: layer, parent: -1 }], records }))
  const digest = await registry.putBlob(repository, config)
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: CACHE_CONFIG_MEDIA_TYPE, digest, size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: 12 }],
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  await registry.putManifest(at('cache/app', 'main'), { mediaType: OCI_MANIFEST, bytes })
  const tidied = await tidyCache(registry, at('cache/app', 'main'))
  expect(tidied).toMatchObject({ kind: 'tidied', dropped: 1, kept: 1 })
  expect(await registry.head(at('cache/app', 'main'))).toMatchObject({
    digest: tidied.kind === 'tidied' && tidied.digest,
  })
  expect(await tidyCache(registry, at('cache/app', 'main'))).toEqual({ kind: 'clean' })
})

/** Leads to a registry, but breaks the first connection that sends more than so many bytes. */
async function startCuttingForwarder(target: string, bytes: number) {
  const [host = '', port] = target.split(':')
  let cuts = 0
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), host)
    let sent = 0
    client.on('data', (chunk) => {
      sent += chunk.length
      if (cuts > 0 || sent < bytes) return
      cuts += 1
      client.destroy()
      upstream.destroy()
    })
    client.pipe(upstream).pipe(client)
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
    sockets.add(client).add(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    host: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    cuts: () => cuts,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Copies a small and a large layer in a process of its own and prints the largest memory after each, in bytes. */
function copyProgram(from: string, to: string, blobs: readonly object[]): string {
  const source = JSON.stringify(join(import.meta.dirname, '../../src/registry/http-registry.ts'))
  return `import { HttpRegistry } from ${source}
const registry = new HttpRegistry()
const most = []
for (const blob of ${JSON.stringify(blobs)}) {
  await registry.copyBlob({ registry: '${to}', path: 'big/app' }, blob, { registry: '${from}', path: 'big/app' })
  most.push(process.resourceUsage().maxRSS * 1024)
}
console.log(JSON.stringify(most))`
}

/** Uploads a layer without holding it in memory, and without our client. */
async function seedLayer(host: string, megabytes: number) {
  const chunk = randomBytes(1_000_000)
  const chunks = function* () {
    for (let n = 0; n < megabytes; n += 1) yield chunk
  }
  const hash = createHash('sha256')
  for (const bytes of chunks()) hash.update(bytes)
  const digest = toDigest(`sha256:${hash.digest('hex')}`)
  const opened = await fetch(`http://${host}/v2/big/app/blobs/uploads/`, { method: 'POST' })
  const size = megabytes * chunk.length
  const headers = { 'content-type': 'application/octet-stream', 'content-length': size }
  const address = `${opened.headers.get('location')}&digest=${digest}`
  const status = await new Promise((resolve, reject) => {
    const put = request(address, { method: 'PUT', headers }, (answer) => resolve(answer.resume().statusCode))
    put.on('error', reject)
    Readable.from(chunks()).pipe(put)
  })
  if (status !== 201) throw new Error(`the layer was answered ${status}`)
  return { digest, size }
}
