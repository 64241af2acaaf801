import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { CACHE_CONFIG_MEDIA_TYPE } from '../../src/buildx/cache-config.ts'
import { tidyCache } from '../../src/buildx/tidy-cache.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { imageConfig } from '../../src/registry/image-config.ts'
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { putTags } from '../../src/registry/put-tags.ts'
import { RegistryError } from '../../src/registry/registry-error.ts'
import { resolveDigest } from '../../src/registry/resolve-digest.ts'

const BINARY = join(homedir(), '.cache', 'image-cache-action', 'tools', 'registry-v3.1.2')
const AMD64 = { os: 'linux', architecture: 'amd64' }
const registry = new HttpRegistry()
let host: string
let folder: string
let server: ChildProcess

beforeAll(async () => {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run "npm run services -- up" once`)
  folder = await mkdtemp(join(tmpdir(), 'registry-itg-'))
  host = `127.0.0.1:${await freePort()}`
  const settings = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') } },
    http: { addr: host },
  }
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(settings))
  server = spawn(BINARY, ['serve', join(folder, 'config.yml')], {
    stdio: 'ignore',
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  })
  for (let n = 0; n < 100 && !(await answers()); n += 1) await pause(100)
}, 20_000)

afterAll(async () => {
  server.kill()
  await new Promise((resolve) => server.once('exit', resolve))
  await rm(folder, { recursive: true })
})

const at = (path: string, tag: string) => ({ registry: host, path, tag })

async function pushImage(path: string, tag: string, mediaType: string = OCI_MANIFEST) {
  const repository = { registry: host, path }
  const config = Buffer.from(JSON.stringify({ ...AMD64, config: { Env: [`TAG=${tag}`] }, rootfs: { diff_ids: [] } }))
  const layer = Buffer.from(`layer of ${path}:${tag}`)
  const content = {
    schemaVersion: 2,
    mediaType,
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
  }
  const bytes = Buffer.from(JSON.stringify(content))
  const digest = await registry.putManifest(at(path, tag), { mediaType, bytes })
  return { digest, mediaType, size: bytes.length, layer: digestOf(layer) }
}

describe('on a real registry', () => {
  test.each([OCI_MANIFEST, DOCKER_MANIFEST])('a pushed %s is found by tag and by digest', async (type) => {
    const { digest, size } = await pushImage('found/app', 'v1', type)
    const found = { mediaType: type, digest, size }
    expect(await registry.head(at('found/app', 'v1'))).toEqual(found)
    expect(await registry.head({ registry: host, path: 'found/app', digest })).toEqual(found)
    const manifest = await registry.manifest({ registry: host, path: 'found/app', digest })
    expect(manifest).toMatchObject({ mediaType: type, digest })
  })

  test('what is missing is undefined: tag, digest, repository, blob', async () => {
    await pushImage('missing/app', 'v1')
    const digest = digestOf('nowhere')
    expect(await registry.head(at('missing/app', 'v2'))).toBeUndefined()
    expect(await registry.manifest(at('missing/app', 'v2'))).toBeUndefined()
    expect(await registry.head({ registry: host, path: 'missing/app', digest })).toBeUndefined()
    expect(await registry.head(at('no/such/repository', 'v1'))).toBeUndefined()
    expect(await registry.manifest(at('no/such/repository', 'v1'))).toBeUndefined()
    expect(await registry.blob({ registry: host, path: 'missing/app' }, digest)).toBeUndefined()
  })

  test.each([OCI_INDEX, DOCKER_INDEX])('a platform is picked from an index of type %s', async (mediaType) => {
    const { layer, ...child } = await pushImage('index/app', 'amd64')
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType, manifests: [{ ...child, platform: AMD64 }] }),
    )
    const topDigest = await registry.putManifest(at('index/app', 'all'), { mediaType, bytes })
    expect(await resolveDigest(registry, at('index/app', 'all'))).toBe(topDigest)
    expect(await resolveDigest(registry, at('index/app', 'all'), AMD64)).toBe(child.digest)
    expect(await imageConfig(registry, at('index/app', 'all'), AMD64)).toMatchObject({
      kind: 'found',
      topDigest,
      digest: child.digest,
      config: { env: ['TAG=amd64'] },
      layers: [{ digest: layer }],
    })
    expect(await imageConfig(registry, at('index/app', 'all'), { os: 'linux', architecture: 'arm64' })).toMatchObject({
      kind: 'no-platform',
      platforms: ['linux/amd64'],
    })
  })

  test('tags are put in the same repository and, with mounted layers, in another', async () => {
    const { digest } = await pushImage('source/app', 'v1')
    const tags = [at('source/app', 'v2'), at('source/app', 'v3'), at('target/app', 'v1')]
    expect(await putTags(registry, { registry: host, path: 'source/app', digest }, tags)).toMatchObject({
      put: [{ mounted: 0 }, { mounted: 0 }, { mounted: 2, copied: 0 }],
      failed: [],
    })
    for (const tag of tags) expect((await registry.head(tag))?.digest).toBe(digest)
  })

  test('a manifest with a missing layer is refused in the registry’s own words', async () => {
    const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('gone'), size: 4 }
    const bytes = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers: [descriptor] }),
    )
    const refused = registry.putManifest(at('refused/app', 'v1'), { mediaType: OCI_MANIFEST, bytes })
    const error = await refused.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RegistryError)
    expect(error).toMatchObject({ status: 400, registryCode: expect.stringContaining('UNKNOWN') })
  })

  test('a cache is tidied under its tag and clean from then on', async () => {
    const repository = { registry: host, path: 'cache/app' }
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
})

async function answers(): Promise<boolean> {
  try {
    return (await fetch(`http://${host}/v2/`)).ok
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
