import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ImageCacheError } from '../../src/base/errors.ts'
import { type ReportRun, renderHtml } from '../../src/report/report-html.ts'
import { buildxWay } from '../measure/buildx-way.ts'
import { describeMeasurement, type Measurement, measuredLine } from '../measure/measure-build.ts'
import { ourWay } from '../measure/our-way.ts'
import { copyProject, PROJECTS, type Project } from '../measure/project.ts'
import { SHAPES } from '../measure/shape.ts'
import { startTicker, type Ticker } from '../measure/ticker.ts'
import type { Way } from '../measure/way.ts'
import { endSignal, type Workplace, withWorkplace } from '../measure/workplace.ts'
import { defaultStateDir } from '../services/locations.ts'
import { ServiceError } from '../services/service-error.ts'
import { type DemoOptions, parseDemoOptions } from './demo-options.ts'
import { type DemoRow, demoLines, demoRows, demoTable } from './demo-table.ts'

const root = resolve(import.meta.dirname, '../..')
const stateDir = `${defaultStateDir()}-demo`

const plainWay = buildxWay({
  name: 'plain',
  title: 'plain buildx',
  what: 'the Dockerfile as it is, with docker buildx build --push and a registry cache (mode=max)',
  dockerfile: 'Dockerfile',
  compression: undefined,
  mode: 'max',
})

const options = parseDemoOptions(process.argv.slice(2))
if ('text' in options) {
  console.log(options.text)
  process.exit(options.exitCode)
}
const signal = endSignal()
try {
  await demo(options)
} catch (error) {
  process.exitCode = signal.aborted ? 130 : 1
  console.error(`\n${explain(error)}`)
}
// Idle connections to the registry must not hold the process.
process.exit()

async function demo({ project: name, keep }: DemoOptions): Promise<void> {
  const project = PROJECTS.find((one) => one.name === name)
  if (project === undefined) throw new RangeError(`there is no project ${name}`)
  say(`The same image, built five times in two ways: with image-cache and with plain buildx.
The image: examples/${project.name}-service. Every build begins on an empty builder, as a CI job on a fresh runner does;
only the registry remembers, and image-cache's own records.

Setting up (tools are built from source once, about 5 minutes; later runs take seconds)`)
  const rows = await withWorkplace(
    { stateDir, keep, signal, disk: project.disk, log: (line) => say(`  ${line}`) },
    async (place) => {
      say('  A registry and a BuildKit builder are running on this machine, with a Python base image.')
      const ours = await buildAll(project, ourWay, place)
      await place.emptyAll()
      const plain = await buildAll(project, plainWay, place)
      if (!keep) await place.emptyAll()
      return demoRows(SHAPES, plain, ours)
    },
  )
  say(`\n${demoLines(rows).join('\n')}
\nPulled and pushed: between this machine and the registry, base image included. Layers: those on top of the base image.
"faster": plain buildx's time divided by image-cache's, on this machine and in this run.`)
  say(`\nTimelines of all builds: ${await writePage(project, rows)}`)
  if (keep) say(`Registry and builder keep running: IMAGE_CACHE_STATE=${stateDir} npm run services -- status (or down)`)
}

async function buildAll(project: Project, way: Way, place: Workplace): Promise<readonly Measurement[]> {
  say(`\n${way.title}: ${way.what}`)
  const copy = await copyProject(project, join(place.folder, way.name))
  await way.prepare(project, copy)
  let ticker: Ticker | undefined
  const line = measuredLine({ place, way, copy, onProgress: (words) => ticker?.say(words) })
  const measured: Measurement[] = []
  for (const [at, { shape, title, story }] of SHAPES.entries()) {
    say(`  ${at + 1}/${SHAPES.length} ${title}: ${story}`)
    ticker = startTicker({ stream: process.stdout, what: '      building' })
    try {
      measured.push(await line.build(shape))
    } finally {
      ticker.stop()
    }
    const last = measured.at(-1)
    if (last !== undefined) say(`      ${last.change === '' ? '' : `${last.change}: `}${describeMeasurement(last)}`)
  }
  return measured
}

async function writePage(project: Project, rows: readonly DemoRow[]): Promise<string> {
  const runs = rows.flatMap(({ title, plain, ours }): ReportRun[] => [
    { title: `${title}: image-cache`, report: ours.report },
    { title: `${title}: plain buildx`, report: plain.report },
  ])
  const folder = join(root, 'demo-report')
  const file = join(folder, 'index.html')
  await mkdir(folder, { recursive: true })
  await writeFile(file, renderHtml(runs, demoTable(rows), `${project.name}-service, five builds in two ways`))
  return file
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function explain(error: unknown): string {
  if (signal.aborted) return 'The demo was ended; its services are stopped and emptied.'
  if (error instanceof ImageCacheError) return [error.message, error.hint ?? ''].join('\n').trim()
  if (error instanceof ServiceError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
