import { join } from 'node:path'
import { describeMeasurement, type Measurement, measuredLine } from '../tools/measure/measure-build.ts'
import { copyProject, type Project } from '../tools/measure/project.ts'
import { SHAPES, type Shape } from '../tools/measure/shape.ts'
import { startTicker, type Ticker } from '../tools/measure/ticker.ts'
import type { Workplace } from '../tools/measure/workplace.ts'
import type { ShapeResult, WayName } from './bench-result.ts'
import { spread } from './statistics.ts'
import type { BenchWay } from './ways.ts'

/** Seconds of builds after which a shape isn't measured once more. */
const ENOUGH = 60

export interface RunShapesOptions {
  readonly place: Workplace
  readonly project: Project
  readonly runs: number
  readonly log: (line: string) => void
}

/**
 * Builds one project in one way, all shapes one after the other, and empties builder and registry at the end, so that
 * the next way finds nothing. Runs of one shape are generations in a row: each starts from what the one before pushed.
 */
export async function runShapes({ name, way }: BenchWay, options: RunShapesOptions): Promise<readonly ShapeResult[]> {
  const { place, project, runs, log } = options
  log(`\n${way.title}: ${way.what}`)
  try {
    const copy = await copyProject(project, join(place.folder, name))
    await way.prepare(project, copy)
    let ticker: Ticker | undefined
    const line = measuredLine({ place, way, copy, onProgress: (words) => ticker?.say(words) })
    const build = async (shape: Shape): Promise<Measurement> => {
      ticker = startTicker({ stream: process.stderr, what: '  building' })
      try {
        return await line.build(shape)
      } finally {
        ticker.stop()
      }
    }
    const results: ShapeResult[] = []
    for (const { shape, title } of SHAPES) {
      const measured: Measurement[] = []
      const most = shape === 'cold' ? 1 : runs
      while (measured.length < most && secondsOf(measured) < ENOUGH) {
        const one = await build(shape)
        measured.push(one)
        log(`  ${title}${one.change === '' ? '' : ` (${one.change})`}: ${describeMeasurement(one)}`)
      }
      results.push(shapeResult(name, shape, measured))
    }
    return results
  } finally {
    // Also after a failure: a torch image is gigabytes.
    await place.emptyAll()
  }
}

function secondsOf(measured: readonly Measurement[]): number {
  return measured.reduce((sum, { seconds }) => sum + seconds, 0)
}

/** What several measurements of one shape say together. */
export function shapeResult(way: WayName, shape: Shape, measured: readonly Measurement[]): ShapeResult {
  const median = (value: (one: Measurement) => number): number => spread(measured.map(value)).median
  return {
    way,
    shape,
    seconds: spread(measured.map(({ seconds }) => seconds)),
    pulledBytes: median(({ pulledBytes }) => pulledBytes),
    pulledOwnBytes: median(({ pulledOwnBytes }) => pulledOwnBytes),
    pushedBytes: median(({ pushedBytes }) => pushedBytes),
    layersBuilt: median(({ layersBuilt }) => layersBuilt),
    layersReused: median(({ layersReused }) => layersReused),
    runSteps: Math.max(...measured.map(({ runs }) => runs)),
    stages: measured.at(-1)?.report.stages ?? [],
  }
}
