import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ImageCacheError } from '../src/base/errors.ts'
import { PROJECTS, type Project } from '../tools/measure/project.ts'
import { endSignal, type Workplace, withWorkplace } from '../tools/measure/workplace.ts'
import { defaultStateDir } from '../tools/services/locations.ts'
import { ServiceError } from '../tools/services/service-error.ts'
import { type BenchOptions, parseBenchOptions } from './bench-options.ts'
import type { BenchResult, ShapeResult, TimedResult } from './bench-result.ts'
import { measureBundle, measureExisting } from './image-exists.ts'
import { describeMachine } from './machine.ts'
import { resultMarkdown } from './markdown.ts'
import { keepResult } from './result-files.ts'
import { runShapes } from './run-shapes.ts'
import { BENCH_WAYS } from './ways.ts'

const root = resolve(import.meta.dirname, '..')
const log = (line: string): void => console.error(line)

const options = parseBenchOptions(process.argv.slice(2))
if ('text' in options) {
  console.log(options.text)
  process.exit(options.exitCode)
}
const signal = endSignal()
try {
  await bench(options)
} catch (error) {
  process.exitCode = signal.aborted ? 130 : 1
  console.error(`\n${explain(error)}`)
}
// Idle connections to the registry must not hold the process.
process.exit()

async function bench(options: BenchOptions): Promise<void> {
  const project = PROJECTS.find(({ name }) => name === options.project)
  if (project === undefined) throw new RangeError(`there is no project ${options.project}`)
  if (!existsSync(join(root, 'dist/main/index.js'))) {
    throw new ImageCacheError('E_INPUT', 'dist/main/index.js is missing: make it with npm run build')
  }
  log(`${project.name}-service in ${options.ways.length} ways, every build on an emptied builder`)
  const place = { stateDir: `${defaultStateDir()}-bench`, signal, disk: project.disk, log }
  const measured = await withWorkplace(place, (workplace) => measure(workplace, project, options))
  const machine = await describeMachine()
  const result: BenchResult = { project: project.name, date: new Date().toISOString(), machine, ...measured }
  const files = await keepResult(result, resolve(options.out ?? join(root, 'docs/benchmarks')))
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`)
  console.log(`\n${resultMarkdown(result)}`)
  log(`\nWritten: ${files.join(', ')}`)
}

async function measure(
  place: Workplace,
  project: Project,
  { runs, ways, latency }: BenchOptions,
): Promise<Pick<BenchResult, 'shapes' | 'timed'>> {
  const shapes: ShapeResult[] = []
  for (const way of BENCH_WAYS.filter(({ name }) => ways.includes(name)))
    shapes.push(...(await runShapes(way, { place, project, runs, log })))
  // What an existing image costs doesn't depend on its size: the small project tells it sooner.
  const small = PROJECTS.find(({ name }) => name === 'small') ?? project
  const timed: TimedResult[] = []
  for (const latencyMs of [...new Set([0, latency])]) {
    log(`\nThe image exists already, ${latencyMs} ms to each service`)
    timed.push(...(await measureExisting(place, small, latencyMs)))
  }
  timed.push(await measureBundle(place))
  return { shapes, timed }
}

function explain(error: unknown): string {
  if (signal.aborted) return 'The benchmark was ended; its services are stopped and emptied.'
  if (error instanceof ImageCacheError) return [error.message, error.hint ?? ''].join('\n').trim()
  if (error instanceof ServiceError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
