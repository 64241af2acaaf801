import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { type Digest, digestOf, isDigest } from '../../src/base/digest.ts'
import { contentTag } from '../../src/image/content-key.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { referrersTag } from '../../src/registry/referrer-list.ts'
import type { ActionResult } from '../support/action-rig.ts'
import { type ActionScene, createScene } from '../support/action-scene.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

// Every step is a process of its own.
jest.setTimeout(60_000)

const REVISION = 'org.opencontainers.image.revision'
let scene: ActionScene
let mirror: RegistryFake
/** Every place that the image is to be in: its registry, path and tag. */
let places: readonly (readonly [RegistryFake, string])[]
let contentKey: Digest
/** Calls of the builder before the test. */
let builds: number

beforeEach(async () => {
  scene = await createScene({ registry: { referrersPage: 10 } })
  mirror = await startRegistryFake({ referrersPage: 10 })
  places = [
    [scene.registry, 'team/app'],
    [scene.registry, 'team/other'],
    [mirror, 'mirror/app'],
  ]
  await scene.builder()
  const first = await main()
  const key = first.outputs.get('content-key') ?? ''
  if (!isDigest(key)) throw new Error('there is no content key')
  contentKey = key
  // Of what the build has put, one place alone is left.
  scene.lost()
  mirror.lose('mirror/app')
  scene.pushed(first)
  builds = await scene.builds()
})
afterEach(async () => {
  await Promise.all([scene.close(), mirror.close()])
})

function step(more: Readonly<Record<string, string>> = {}) {
  const tags = places.map(([{ host }, path]) => `${host}/${path}:v1`).join(',')
  return { inputs: scene.inputs({ tags, ...more }), env: scene.cache.env() }
}

async function main(more?: Readonly<Record<string, string>>): Promise<ActionResult> {
  return await scene.rig.main(step(more))
}

/** Both steps, as a job runs them. */
async function job(more?: Readonly<Record<string, string>>): Promise<ActionResult> {
  const result = await main(more)
  expect((await scene.rig.post(result, step(more))).annotations).toEqual([])
  return result
}

function digests(tag: string): readonly (Digest | undefined)[] {
  return places.map(([registry, path]) => registry.digestOfTag(path, tag))
}

/** A signature as cosign keeps it beside the image, and one that names the image as its subject. */
function sign(): Digest {
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', ...scene.registry.addBlob('team/app', '{}') }
  const signature = { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] }
  scene.registry.addManifest('team/app', `${referrersTag(scene.image)}.sig`, OCI_MANIFEST, signature)
  const subject = { mediaType: OCI_MANIFEST, digest: scene.image, size: 1 }
  const content = { ...signature, artifactType: 'application/vnd.example.signature', subject }
  scene.registry.addManifest('team/app', digestOf(JSON.stringify(content)), OCI_MANIFEST, content)
  return digestOf(JSON.stringify(content))
}

describe('the action, with tags in two repositories and on a second registry', () => {
  test('brings the image with its signatures to all of them, and the record then speaks of all', async () => {
    const signature = sign()
    const found = await job()
    expect([found.exitCode, found.outputs.get('skipped'), found.annotations]).toEqual([0, 'true', []])
    expect(digests('v1')).toEqual([scene.image, scene.image, scene.image])
    expect(digests(contentTag(contentKey))).toEqual([scene.image, scene.image, scene.image])
    for (const [registry, path] of places) {
      expect(registry.manifest(path, `${referrersTag(scene.image)}.sig`)).toBeDefined()
      expect(registry.manifest(path, signature)).toMatchObject({ subject: { digest: scene.image } })
    }

    const before = mirror.requests.length
    const again = await job()
    expect([again.outputs.get('skipped'), again.summary]).toEqual(['true', expect.stringContaining('a record of')])
    // What is there already is not copied again: a greeting, the image, its tag.
    expect([...mirror.kinds.slice(before)].sort()).toEqual(['GET manifests', 'GET other', 'PUT manifests'])
    expect(await scene.builds()).toBe(builds)
  })

  test('with retag-labels puts a new image under the tags in each, and leaves what was built under its content tag', async () => {
    const labels = { labels: `${REVISION}=two`, 'retag-labels': 'true' }
    const found = await job(labels)
    expect([found.exitCode, found.outputs.get('skipped')]).toEqual([0, 'true'])
    const [renewed] = digests('v1')
    expect(renewed).not.toBe(scene.image)
    expect(digests('v1')).toEqual([renewed, renewed, renewed])
    expect(digests(contentTag(contentKey))).toEqual([scene.image, scene.image, scene.image])
    const again = await job({ labels: `${REVISION}=three`, 'retag-labels': 'true' })
    expect([again.outputs.get('skipped'), again.annotations]).toEqual(['true', []])
    expect(await scene.builds()).toBe(builds)
  })

  test('builds when one of them refuses, and says which', async () => {
    mirror.fail('PUT manifests', { kind: 'status', status: 403, code: 'DENIED' }, 9)
    const result = await main()
    expect([result.exitCode, result.outputs.get('skipped')]).toEqual([0, 'false'])
    expect(result.annotations).toEqual([
      { level: 'warning', message: expect.stringMatching(/^a tag could not be put: .*mirror\/app.* 403/) },
      // The builder's stub pushes nothing.
      { level: 'warning', message: expect.stringMatching(/^pushed again by the builder: .*mirror\/app/) },
    ])
    expect(await scene.builds()).toBe(builds + 2)
  })
})

test('a hit on a registry that wants a login takes one token to read and write, got before it is needed', async () => {
  const auth = { kind: 'bearer', username: 'user', password: 'pass-word-of-the-test' } as const
  const guarded = await createScene({ registry: { auth, latencyMs: 50 } })
  try {
    await guarded.builder()
    const login = Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
    const logins = JSON.stringify({ auths: { [guarded.registry.host]: { auth: login } } })
    const guardedStep = { inputs: guarded.inputs(), env: { ...guarded.cache.env(), DOCKER_AUTH_CONFIG: logins } }
    const first = await guarded.rig.main(guardedStep)
    await guarded.rig.post(first, guardedStep)
    guarded.pushed(first)
    const before = guarded.registry.requests.length
    expect((await guarded.rig.main(guardedStep)).outputs.get('skipped')).toBe('true')
    const requests = guarded.registry.requests.slice(before)
    const own = requests.filter(({ path }) => path.includes('/team/app/'))
    expect(own.map(({ kind, status }) => `${kind} ${status}`)).toEqual(['GET manifests 200', 'PUT manifests 201'])
    const scopes = requests.flatMap(({ path }) => new URL(path, 'http://x').searchParams.getAll('scope'))
    expect([...scopes].sort()).toEqual(['repository:base/python:pull', 'repository:team/app:pull,push'])
  } finally {
    await guarded.close()
  }
})
