import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createProgress } from '../src/buildx/progress.ts'
import { SpawnExec } from '../src/exec/spawn-exec.ts'
import { lasted } from '../src/flow/publish-memory.ts'
import { type BuildkitVersion, countingProxy, type ServiceSet, startServices } from '../tools/services/service-set.ts'
import { startSharedLink } from './shared-link.ts'
import { spread } from './statistics.ts'

/**
 * Push and cache export over slow links, ours beside the two ways that buildx has: one call, and two calls one after the
 * other. Each row is a model of a network and a place for the cache.
 */
const USAGE = 'Usage: node bench/publish.ts [--runs 3] [--megabytes 24] [--rows text] [--json]'
/** The product's promises. */
const LONGER_LEG = 1.1
const SEQUENTIAL = 1.05

interface Row {
  readonly name: string
  readonly cache: 'other registry' | 'other repository' | 'same repository'
  /** Bytes a second, of each connection or of one link that all share. */
  readonly connection?: number
  readonly shared?: number
  /** Whether the two legs have links of their own, so that nothing but the order decides. */
  readonly separate: boolean
}

const ROWS: readonly Row[] = [
  { name: 'separate links of 20 MB/s', cache: 'other registry', shared: 20e6, separate: true },
  { name: '8 MB/s a connection', cache: 'other registry', connection: 8e6, separate: true },
  { name: '8 MB/s a connection', cache: 'other repository', connection: 8e6, separate: false },
  { name: '8 MB/s a connection', cache: 'same repository', connection: 8e6, separate: false },
  { name: 'one link of 20 MB/s', cache: 'other repository', shared: 20e6, separate: false },
  { name: 'one link of 20 MB/s', cache: 'same repository', shared: 20e6, separate: false },
]

const WAYS = ['buildx', 'sequential', 'ours'] as const
type WayName = (typeof WAYS)[number]

interface Timing {
  /** From the first leg's start to the last one's end, seconds. */
  readonly publish: number
  readonly push: number
  readonly export: number
}

const exec = new SpawnExec()
const root = resolve(import.meta.dirname, '..')
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    megabytes: { type: 'string', default: '24' },
    rows: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})
const runs = Number(values.runs)
const bytes = Number(values.megabytes) * 1e6
if (!(runs >= 1 && bytes >= 1e6)) {
  console.error(USAGE)
  process.exit(2)
}
const rows = ROWS.filter((row) => `${row.name}, ${row.cache}`.includes(values.rows))
const results: unknown[] = []
for (const buildkit of ['v0.33.1', 'v0.27.1'] as const) {
  for (const row of rows) results.push(await measureRow(buildkit, row))
}
const machine = { cores: cpus().length, load: loadavg()[0]?.toFixed(2) }
if (values.json) console.log(JSON.stringify({ machine, megabytes: values.megabytes, results }, null, 2))
process.exit()

async function measureRow(buildkit: BuildkitVersion, row: Row): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'publish-bench-'))
  const services = await startServices({ stateDir: join(folder, 'state'), buildkit })
  const links = await openLinks(services.registry, row)
  const place = { folder, services, ...links }
  try {
    const timings: Record<WayName, Timing[]> = { buildx: [], sequential: [], ours: [] }
    // The first round is not counted: ours learns the link in it, and everybody's connections are opened.
    for (let round = 0; round <= runs; round += 1) {
      for (const way of WAYS) {
        await writeProject(folder)
        const timing = await build(way, row, place)
        if (round > 0) timings[way].push(timing)
      }
    }
    return printRow(buildkit, row, timings)
  } finally {
    await links.close()
    await services.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function printRow(buildkit: string, row: Row, timings: Readonly<Record<WayName, readonly Timing[]>>): unknown {
  const median = (way: WayName, value: (timing: Timing) => number): number => spread(timings[way].map(value)).median
  const [buildx, sequential, ours] = WAYS.map((way) => median(way, ({ publish }) => publish))
  // Each leg by itself, as the calls one after the other had it.
  const longer = Math.max(
    median('sequential', ({ push }) => push),
    median('sequential', (timing) => timing.export),
  )
  const ratio = (ours ?? 0) / (sequential ?? 1)
  const legs = (ours ?? 0) / longer
  const kept = ratio <= SEQUENTIAL && (!row.separate || legs <= LONGER_LEG)
  const seconds = [buildx, sequential, ours].map((value) => (value ?? 0).toFixed(2))
  if (!values.json)
    console.log(
      `${buildkit} ${row.name}, ${row.cache}: buildx ${seconds[0]} s, sequential ${seconds[1]} s, ours ${seconds[2]} s; ` +
        `ours / sequential ${ratio.toFixed(2)}, ours / longer leg ${legs.toFixed(2)} ${kept ? '' : '(not kept)'}`,
    )
  return { buildkit, row, buildx, sequential, ours, ratio, legs, kept }
}

interface Links {
  /** Registries as the builder calls them. */
  readonly images: string
  readonly caches: string
  close(): Promise<void>
}

/** Ways to the one registry: of its own for the cache where that lies on another registry. */
async function openLinks(registry: string, { cache, connection, shared }: Row): Promise<Links> {
  const open = async (): Promise<{ readonly registry: string; stop(): Promise<void> }> =>
    shared === undefined
      ? countingProxy(registry, connection === undefined ? {} : { bytesPerSecond: connection })
      : startSharedLink(registry, shared)
  const images = await open()
  const caches = cache === 'other registry' ? await open() : images
  return {
    images: images.registry,
    caches: caches.registry,
    close: async () => {
      await images.stop()
      if (caches !== images) await caches.stop()
    },
  }
}

/** Two layers that can't be compressed, and one of a stage that only the cache has. */
async function writeProject(folder: string): Promise<void> {
  const work = join(folder, 'work')
  await mkdir(work, { recursive: true })
  for (const name of ['a', 'b', 'c']) await writeFile(join(work, name), randomBytes(Math.round(bytes / 3)))
  await writeFile(
    join(work, 'Dockerfile'),
    'FROM scratch AS middle\nCOPY c /c\nFROM scratch\nCOPY --from=middle /c /empty/c\nCOPY a /a\nCOPY b /b\n',
  )
}

interface Place extends Links {
  readonly folder: string
  readonly services: ServiceSet
}

async function build(way: WayName, row: Row, place: Place): Promise<Timing> {
  const image = `${place.images}/${way}:v1`
  const ref = row.cache === 'same repository' ? `${place.images}/${way}:cache` : `${place.caches}/${way}-cache:v1`
  const cache = `type=registry,ref=${ref},mode=max,image-manifest=true,oci-mediatypes=true,compression=zstd`
  if (way === 'ours') return await buildOurs(image, cache, place)
  const push = `type=image,push=true,name=${image},oci-mediatypes=true,compression=zstd`
  if (way === 'buildx') return await buildWith(['--output', push, '--cache-to', cache], place)
  const from = performance.now()
  const first = await buildWith(['--output', push], place)
  const second = await buildWith(['--output', 'type=cacheonly', '--cache-to', cache], place)
  // What lies between the legs counts: it is the price of two calls.
  const started = first.startedAt - from
  return { push: first.push, export: second.export, publish: (second.endedAt - from - started) / 1000 }
}

async function buildWith(
  args: readonly string[],
  { folder, services }: Place,
): Promise<Timing & { readonly startedAt: number; readonly endedAt: number }> {
  const progress = createProgress()
  const onStderrLine = (line: string): void => progress.push(line)
  const options = { cwd: join(folder, 'work'), env: services.env, onStderrLine }
  const from = performance.now()
  const { exitCode, stderr } = await exec.run('buildx', ['build', '--progress=rawjson', ...args, '.'], options)
  if (exitCode !== 0) throw new Error(stderr)
  const { pushes, cacheExports, elapsed } = progress.snapshot()
  const both = [...pushes, ...cacheExports]
  const endedAt = performance.now()
  const startedAt = endedAt - (elapsed - Math.min(...both.map(({ start }) => start)))
  return {
    startedAt: Math.max(from, startedAt),
    endedAt,
    push: lasted(pushes, elapsed),
    export: lasted(cacheExports, elapsed),
    publish: lasted(both, elapsed),
  }
}

async function buildOurs(image: string, cache: string, { folder, services }: Place): Promise<Timing> {
  const cli = join(root, 'src/entry/cli.ts')
  const options = ['--tags', image, '--push', '--force', '--json', '--cache-from', 'off', '--cache-to', cache]
  const { exitCode, stdout, stderr } = await exec.run(process.execPath, [cli, 'build', '.', ...options], {
    cwd: join(folder, 'work'),
    env: { ...services.env, XDG_CACHE_HOME: join(folder, 'cache'), HOME: join(folder, 'home') },
  })
  if (exitCode !== 0) throw new Error(stderr)
  const { report } = JSON.parse(stdout)
  const leg = (name: string): number =>
    report.publish.legs.find((one: { name: string }) => one.name === name)?.seconds ?? 0
  return { push: leg('push'), export: leg('cache export'), publish: leg('push and export together') }
}
