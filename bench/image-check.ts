/**
 * How long it takes to ask for many images, beside `buildx imagetools inspect` on the same names.
 * `node bench/image-check.ts [--images N] [--latency MS] [--runs N]`
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { digestOf } from '../src/base/digest.ts'
import { checkImages } from '../src/entry/check-images.ts'
import { SpawnExec } from '../src/exec/spawn-exec.ts'
import { concurrencyLimit } from '../src/registry/concurrency-limit.ts'
import { LocalStore } from '../src/stores/local-store.ts'
import { ensureTool } from '../tools/services/service-set.ts'
import { spread } from './statistics.ts'

const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 },
    layers: [],
  }),
)
const AT_ONCE = 8

interface Counts {
  requests: number
  connections: number
  mostConnections: number
}

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '200' },
    latency: { type: 'string', default: '50' },
    runs: { type: 'string', default: '3' },
  },
})
const [images, latency, runs] = [Number(values.images), Number(values.latency), Number(values.runs)]

const counts: Counts = { requests: 0, connections: 0, mostConnections: 0 }
const server = await startRegistry(counts, latency)
const host = `127.0.0.1:${portOf(server)}`
const names = Array.from({ length: images }, (_, n) => `${host}/org/app:v${n}`)
const folder = await mkdtemp(join(tmpdir(), 'bench-check-'))
try {
  const ours = await measure(async () => {
    const checked = await checkImages(names)
    if (checked.some(({ outcome }) => outcome !== 'found')) throw new Error('an image was not found')
  })
  const lasting = names.map((name) => `${name.replace(/:v\d+$/, '')}@${digestOf(MANIFEST)}`)
  const store = new LocalStore({ folder })
  await checkImages(lasting, { store })
  const records = await measure(async () => {
    await checkImages(lasting.slice(0, 1), { store })
  })
  const theirs = await measure(() => inspectAll(names))
  console.log(`${images} images, ${latency} ms to the registry, ${AT_ONCE} at a time, ${runs} runs`)
  for (const row of [
    ['checkImages', ours],
    ['one image from a record in a local store', records],
    ['buildx imagetools inspect', theirs],
  ] as const) {
    const [what, { seconds, requests, connections, mostConnections }] = row
    const many = `${requests} requests, ${connections} connections, ${mostConnections} at once`
    console.log(
      `  ${what}: ${seconds.median.toFixed(3)} s (${seconds.min.toFixed(3)} to ${seconds.max.toFixed(3)}), ${many}`,
    )
  }
  console.log(`  buildx / checkImages: ${(theirs.seconds.median / ours.seconds.median).toFixed(1)}`)
} finally {
  await rm(folder, { recursive: true })
}
process.exit()

/** Medians of time, and what went over the wire in the last run. */
async function measure(run: () => Promise<void>): Promise<Counts & { readonly seconds: ReturnType<typeof spread> }> {
  const seconds: number[] = []
  for (let n = 0; n < runs; n += 1) {
    Object.assign(counts, { requests: 0, connections: 0, mostConnections: 0 })
    const started = performance.now()
    await run()
    seconds.push((performance.now() - started) / 1000)
  }
  return { ...counts, seconds: spread(seconds) }
}

async function inspectAll(references: readonly string[]): Promise<void> {
  const buildx = await ensureTool('buildx')
  const limit = concurrencyLimit(AT_ONCE)
  await Promise.all(
    references.map((reference) =>
      limit.run(async () => {
        const { exitCode, stderr } = await new SpawnExec().run(
          buildx,
          ['imagetools', 'inspect', '--format', '{{.Manifest.Digest}}', reference],
          { env: { BUILDX_CONFIG: folder, DOCKER_CONFIG: folder } },
        )
        if (exitCode !== 0) throw new Error(stderr)
      }),
    ),
  )
}

/** A registry in which every name is the same small image. */
async function startRegistry(counts: Counts, latencyMs: number): Promise<Server> {
  let open = 0
  const server = createServer(async (request, response) => {
    counts.requests += 1
    await pause(latencyMs)
    const isBlob = request.url?.includes('/blobs/') === true
    const body = isBlob ? Buffer.from('{}') : MANIFEST
    response.writeHead(200, {
      'content-type': isBlob ? 'application/octet-stream' : 'application/vnd.oci.image.manifest.v1+json',
      'content-length': String(body.length),
      'docker-content-digest': digestOf(body),
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  server.on('connection', (socket) => {
    open += 1
    counts.connections += 1
    counts.mostConnections = Math.max(counts.mostConnections, open)
    socket.once('close', () => {
      open -= 1
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
