import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { type PublishedRun, PublishRig, type StandIn } from '../support/publish-rig.ts'

const minutes = 60_000
const SIZE = 300_000
const CACHE = 'type=registry,ref=$/cache:'

let rig: PublishRig
beforeAll(async () => {
  rig = await PublishRig.create()
}, 3 * minutes)
afterEach(() => {
  rig.imageFault = undefined
  rig.cacheFault = undefined
})
afterAll(() => rig.close(), minutes)

/** Answers an error to requests of a kind; the first `times` of them. */
function refuse(
  status: number,
  kind: RegExp,
  times = Number.POSITIVE_INFINITY,
  body = 'SAID BY THE REGISTRY',
): StandIn {
  let left = times
  return (method, path) => {
    if (!kind.test(`${method} ${path}`) || left === 0) return undefined
    left -= 1
    return { status, headers: { 'content-type': 'text/plain', 'retry-after': '1' }, body }
  }
}

const reset: (kind: RegExp, times: number) => StandIn = (kind, times) => {
  const answer = refuse(500, kind, times)
  return (method, path) => (answer(method, path) === undefined ? undefined : 'reset')
}

/** The image is in its registry, by its tag and whole, whatever was said. */
async function expectImage(run: PublishedRun, tag: string): Promise<void> {
  expect(run.stderr.replace(/(.|\n)*(?=^error: )/m, '').slice(0, run.exitCode === 0 ? 0 : 2000)).toBe('')
  const answer = await fetch(`http://${rig.services.registry}/v2/app/manifests/${tag}`, {
    headers: { accept: 'application/vnd.oci.image.index.v1+json,application/vnd.oci.image.manifest.v1+json' },
  })
  expect(answer.headers.get('docker-content-digest')).toBe(run.digest)
  const { manifests } = (await answer.json()) as { manifests: readonly { digest: string }[] }
  for (const { digest } of manifests) {
    const child = await fetch(`http://${rig.services.registry}/v2/app/manifests/${digest}`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    })
    expect(child.status).toBe(200)
  }
}

function warningsOf({ report }: PublishedRun): readonly string[] {
  return report.warnings.map(({ message }) => message)
}

const writes = /^(POST|PUT|PATCH) \/v2\/cache\//
const expired = '<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>'

describe('a cache export', () => {
  test.each<[string, Record<string, string>, StandIn, RegExp]>([
    ['that fails', {}, refuse(400, /^PUT .*\/manifests\//), /^cache export failed, the image is not affected: .*400/],
    [
      'that hangs',
      { 'cache-timeout': '2s' },
      (method) => (method === 'POST' ? 'hang' : undefined),
      /not done 2 s after/,
    ],
    ['that is forbidden', {}, refuse(403, writes), /403 Forbidden/],
    [
      'over its quota',
      {},
      refuse(412, writes, undefined, '{"errors":[{"code":"DENIED","message":"quota"}]}'),
      /denied: quota/,
    ],
    ['to addresses that have expired', {}, refuse(403, /^(PUT|PATCH) .*uploads/, undefined, expired), /403/],
  ])(
    '%s is a warning',
    async (name, inputs, fault, warning) => {
      await rig.writeImage(SIZE)
      const tag = name.replaceAll(/[^a-z]/g, '-')
      rig.cacheFault = fault
      for (const publish of ['parallel', 'two-clients']) {
        const run = await rig.build(`$/app:${tag}`, { publish, 'cache-to': `${CACHE}${tag}`, ...inputs })
        await expectImage(run, tag)
        expect(warningsOf(run)).toEqual([expect.stringMatching(warning)])
      }
    },
    minutes,
  )

  test.each([
    ['ACTIONS_CACHE_MODE', { ACTIONS_CACHE_MODE: 'read' }, 'read-only: ACTIONS_CACHE_MODE is read'],
    ['the token', { ACTIONS_RUNTIME_TOKEN: token(1) }, 'read-only: the token of this run does not allow it'],
  ])(
    'to GitHub’s cache that %s makes read-only is left out and said',
    async (_, env, detail) => {
      await rig.writeImage(SIZE)
      const run = await rig.build('$/app:gha', { 'cache-to': 'type=gha' }, env)
      await expectImage(run, 'gha')
      expect(run.report.caches).toContainEqual({ what: 'export gha', outcome: 'skipped', detail })
      expect(warningsOf(run)).toEqual([])
    },
    minutes,
  )
})

describe('a cache import', () => {
  const lost = ['a blob that is gone', 'an address that has expired', 'a blob that is cut off'] as const
  const faults: Readonly<Record<(typeof lost)[number], StandIn>> = {
    'a blob that is gone': refuse(404, /^(GET|HEAD) .*\/blobs\//),
    'an address that has expired': refuse(403, /^GET .*\/blobs\//, undefined, expired),
    'a blob that is cut off': (method, path) =>
      method === 'GET' && path.includes('/blobs/')
        ? { status: 200, headers: { 'content-length': '300000' }, body: 'short' }
        : undefined,
  }
  beforeAll(async () => {
    for (const [at] of lost.entries()) {
      await rig.write(`data-${at}`, randomBytes(SIZE))
      await rig.write('Dockerfile', `FROM scratch\nCOPY data-${at} /data\n`)
      const run = await rig.build(`$/app:import-${at}`, { 'cache-to': `${CACHE}import-${at}` })
      await expectImage(run, `import-${at}`)
    }
    await rig.services.emptyBuilder()
  }, 2 * minutes)

  test.each(lost)(
    'with %s is given up, and the build is tried once more without it',
    async (name) => {
      const at = lost.indexOf(name)
      // A plain COPY on top needs the layer below, which lies in the cache alone.
      await rig.write('Dockerfile', `FROM scratch\nCOPY data-${at} /data\nCOPY Dockerfile /more\n`)
      const layers = await layersOf(`cache/manifests/import-${at}`)
      // The cache's own manifest and config are there.
      rig.cacheFault = (method, path) =>
        layers.some((layer) => path.includes(layer)) ? faults[name](method, path) : undefined
      const run = await rig.build(`$/app:import-${at}`, { 'cache-from': `${CACHE}import-${at}`, 'cache-to': 'off' })
      await expectImage(run, `import-${at}`)
      expect(warningsOf(run).join()).toMatch(/built again without imported caches/)
    },
    minutes,
  )

  test(
    'from a registry that does not answer is left out after ten seconds',
    async () => {
      await rig.writeImage(SIZE)
      rig.cacheFault = () => 'hang'
      const run = await rig.build('$/app:silent', { 'cache-from': `${CACHE}silent`, 'cache-to': 'off' })
      await expectImage(run, 'silent')
      expect(warningsOf(run)).toEqual([expect.stringMatching(/^import registry .*did not answer within 10 s/)])
    },
    minutes,
  )
})

describe('a push', () => {
  test.each<[string, StandIn]>([
    ['429', refuse(429, /^(POST|PUT) \/v2\/app\//, 1)],
    ['a 503', refuse(503, /^(POST|PUT) \/v2\/app\//, 1)],
    ['a connection that breaks', reset(/^PUT \/v2\/app\/blobs/, 1)],
    ['400 to an upload that sat idle', refuse(400, /^PUT \/v2\/app\/blobs\/uploads/, 1)],
    ['429 to a manifest', refuse(429, /^PUT \/v2\/app\/manifests/, 1)],
    ['a tag that is refused at first', refuse(500, /^PUT \/v2\/app\/manifests\/second/, 1)],
  ])(
    'that meets %s goes on, and sends only what failed',
    async (name, fault) => {
      await rig.writeImage(SIZE)
      const tag = name.replaceAll(/[^a-z0-9]/g, '-')
      rig.imageFault = fault
      const run = await rig.build(`$/app:${tag}\n$/app:second`, { 'cache-to': 'off' })
      await expectImage(run, tag)
      await expectImage(run, 'second')
      expect(rig.images.snapshot().pushedBytes).toBeLessThan(2 * SIZE + 60_000)
    },
    minutes,
  )
})

async function layersOf(path: string): Promise<readonly string[]> {
  const answer = await fetch(`http://${rig.services.registry}/v2/${path}`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  })
  const { layers } = (await answer.json()) as { layers: readonly { digest: string }[] }
  return layers.map(({ digest }) => digest)
}

/** A runner's token with scopes of these permissions: 1 reads, 2 writes. */
function token(permission: number): string {
  const claims = { ac: JSON.stringify([{ Scope: 'refs/heads/main', Permission: permission }]) }
  return `e.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
}
