import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import type { CredentialSource } from '../../src/registry/credentials.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { putTags } from '../../src/registry/put-tags.ts'
import { referrersTag } from '../../src/registry/referrer-list.ts'
import { resolveDigest } from '../../src/registry/resolve-digest.ts'

/** A registry under test; `close` takes down what was started. */
export interface OpenRegistry {
  readonly host: string
  readonly credentials?: CredentialSource
  close(): Promise<void>
}

const PLATFORM = { os: 'linux', architecture: 'amd64' }
const NOWHERE = digestOf('nowhere')

/**
 * What our client and a registry owe each other. "end-3" and the like are the endpoints of the OCI distribution spec
 * 1.1 ("Endpoints"), whose conformance cases for pull and for what the product pushes these are.
 */
export function registryContract(name: string, open: () => Promise<OpenRegistry>): void {
  describe(name, () => {
    let opened: OpenRegistry
    let registry: HttpRegistry

    beforeAll(async () => {
      opened = await open()
      registry = new HttpRegistry({ ...(opened.credentials && { credentials: opened.credentials }) })
    }, 30_000)

    afterAll(async () => {
      await opened.close()
    })

    const repository = (path: string) => ({ registry: opened.host, path })
    const at = (path: string, tag: string) => ({ ...repository(path), tag })
    const by = (path: string, digest: ReturnType<typeof digestOf>) => ({ ...repository(path), digest })

    async function push(path: string, tag: string, mediaType: string = OCI_MANIFEST, more: object = {}) {
      const bytes = [JSON.stringify({ ...PLATFORM, config: { Env: [`TAG=${tag}`] } }), `layer of ${path}:${tag}`]
      const [config, layer] = await Promise.all(
        bytes.map(async (text) => ({
          mediaType: 'application/vnd.test',
          digest: await registry.putBlob(repository(path), Buffer.from(text)),
          size: text.length,
        })),
      )
      const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer], ...more }))
      const digest = await registry.putManifest(at(path, tag), { mediaType, bytes: manifest })
      return { mediaType, digest, size: manifest.length, layer: digestOf(bytes[1] ?? ''), bytes: manifest }
    }

    async function pushIndex(path: string, tag: string, mediaType: string) {
      const { bytes: _, layer, ...child } = await push(path, `${tag}-amd64`)
      const manifests = [{ ...child, platform: PLATFORM }]
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
      return {
        child,
        layer,
        digest: await registry.putManifest(at(path, tag), { mediaType, bytes }),
        size: bytes.length,
      }
    }

    describe('pulling manifests (end-3)', () => {
      test.each([OCI_MANIFEST, DOCKER_MANIFEST])('a %s is found by tag and by digest', async (type) => {
        const { digest, size, bytes } = await push('pull/image', 'v1', type)
        for (const reference of [at('pull/image', 'v1'), by('pull/image', digest)]) {
          expect(await registry.head(reference)).toEqual({ mediaType: type, digest, size })
          const manifest = await registry.manifest(reference)
          expect(manifest).toMatchObject({ mediaType: type, digest })
          expect(Buffer.from(manifest?.bytes ?? []).equals(bytes)).toBe(true)
        }
      })

      test.each([OCI_INDEX, DOCKER_INDEX])('a %s is found, and a platform picked from it', async (type) => {
        const { digest, size, child } = await pushIndex('pull/index', 'all', type)
        expect(await registry.head(at('pull/index', 'all'))).toEqual({ mediaType: type, digest, size })
        expect(await resolveDigest(registry, at('pull/index', 'all'))).toBe(digest)
        expect(await resolveDigest(registry, at('pull/index', 'all'), PLATFORM)).toBe(child.digest)
      })

      test('a missing tag, digest and repository are undefined, to HEAD and to GET', async () => {
        await push('pull/missing', 'v1')
        const names = [at('pull/missing', 'v2'), by('pull/missing', NOWHERE), at('pull/no/such/repository', 'v1')]
        for (const reference of names) {
          expect(await registry.head(reference)).toBeUndefined()
          expect(await registry.manifest(reference)).toBeUndefined()
        }
      })
    })

    describe('pulling blobs (end-2)', () => {
      test('a blob comes as its own bytes, a missing one is undefined', async () => {
        const { layer } = await push('pull/blob', 'v1')
        const bytes = await registry.blob(repository('pull/blob'), layer)
        expect(Buffer.from(bytes ?? []).toString()).toBe('layer of pull/blob:v1')
        expect(await registry.blob(repository('pull/blob'), NOWHERE)).toBeUndefined()
      })

      test('an empty blob is a blob', async () => {
        const digest = await registry.putBlob(repository('pull/blob'), new Uint8Array())
        expect(await registry.blob(repository('pull/blob'), digest)).toHaveLength(0)
      })
    })

    describe('pushing (end-4a, end-6, end-7, end-11)', () => {
      test('a blob that is there is not sent again, one of a neighbour is mounted', async () => {
        const { layer } = await push('push/blob', 'v1')
        const blob = { digest: layer, size: 21 }
        expect(await registry.copyBlob(repository('push/neighbour'), blob, repository('push/blob'))).toBe('mounted')
        expect(await registry.mountBlob(repository('push/third'), NOWHERE, repository('push/blob'))).toBe('refused')
        expect(await registry.blob(repository('push/neighbour'), layer)).toBeDefined()
      })

      test('a manifest with a missing layer is refused in the registry’s own words', async () => {
        const gone = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: NOWHERE, size: 4 }
        const content = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: gone, layers: [gone] }
        const refused = registry.putManifest(at('push/refused', 'v1'), {
          mediaType: OCI_MANIFEST,
          bytes: Buffer.from(JSON.stringify(content)),
        })
        await expect(refused).rejects.toMatchObject({ status: 400, registryCode: expect.stringContaining('UNKNOWN') })
      })
    })

    describe('referrers (end-7 with subject, end-12a)', () => {
      test('what names an image as its subject is listed, and comes along into another repository', async () => {
        const { digest, mediaType, size } = await push('say/image', 'v1')
        const subject = { mediaType, digest, size }
        const said = await push('say/image', 'signature', OCI_MANIFEST, {
          subject,
          artifactType: 'application/vnd.sig',
        })
        await push('say/image', `${referrersTag(digest)}.sig`)
        expect(await registry.referrers(repository('say/image'), digest)).toMatchObject([{ digest: said.digest }])
        expect(await registry.referrers(repository('say/image'), NOWHERE)).toEqual([])

        const result = await putTags(registry, by('say/image', digest), [at('say/copy', 'v1')])
        expect(result).toMatchObject({ put: [{ signatures: 2 }], failed: [] })
        expect(await registry.referrers(repository('say/copy'), digest)).toMatchObject([{ digest: said.digest }])
        expect(await registry.head(at('say/copy', `${referrersTag(digest)}.sig`))).toBeDefined()
      })
    })

    test('tags are put in the same repository and, with mounted layers, in another', async () => {
      const { digest } = await pushIndex('tags/source', 'v1', OCI_INDEX)
      const tags = [at('tags/source', 'v2'), at('tags/source', 'v3'), at('tags/target', 'v1')]
      expect(await putTags(registry, by('tags/source', digest), tags)).toMatchObject({
        put: [{ mounted: 0 }, { mounted: 0 }, { mounted: 2, copied: 0 }],
        failed: [],
      })
      for (const tag of tags) expect((await registry.head(tag))?.digest).toBe(digest)
    })
  })
}
