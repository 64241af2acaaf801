import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { formatBytes } from '../src/base/bytes.ts'
import { formatTime } from '../tools/measure/measure-build.ts'
import { PROJECTS } from '../tools/measure/project.ts'
import { SHAPES } from '../tools/measure/shape.ts'
import { endSignal, type Workplace, withWorkplace } from '../tools/measure/workplace.ts'
import { defaultStateDir } from '../tools/services/locations.ts'
import type { ShapeResult } from './bench-result.ts'
import { runShapes } from './run-shapes.ts'
import { BENCH_WAYS } from './ways.ts'

// Composed beside linked, in one run: npx node bench/assembly.ts [small|sklearn|torch] [runs]
const [name = 'small', runs = '3'] = process.argv.slice(2)
const project = PROJECTS.find((one) => one.name === name)
if (project === undefined) throw new RangeError(`there is no project ${name}`)
if (!existsSync(join(resolve(import.meta.dirname, '..'), 'dist/cli/index.js'))) throw new Error('make dist first')
const chosen = project
const log = (line: string): void => console.error(line)
const place = { stateDir: `${defaultStateDir()}-assembly`, signal: endSignal(), disk: chosen.disk, log }
const results = await withWorkplace(place, measure)
console.log(table(results))
process.exit()

async function measure(workplace: Workplace): Promise<readonly ShapeResult[]> {
  const measured: ShapeResult[] = []
  for (const way of BENCH_WAYS.filter((one) => one.name === 'linked' || one.name === 'composed')) {
    measured.push(...(await runShapes(way, { place: workplace, project: chosen, runs: Number(runs), log })))
  }
  return measured
}

function table(measured: readonly ShapeResult[]): string {
  const rows = SHAPES.flatMap(({ shape, title }) => {
    const of = (way: string) => measured.find((one) => one.way === way && one.shape === shape)
    const [linked, composed] = [of('linked'), of('composed')]
    if (linked === undefined || composed === undefined) return []
    const cells = [linked, composed].map(
      ({ seconds, pulledBytes, pushedBytes }) =>
        `${formatTime(seconds.median)}; ${formatBytes(pulledBytes)} pulled, ${formatBytes(pushedBytes)} pushed`,
    )
    return [`| ${title} | ${cells.join(' | ')} | ${(linked.seconds.median / composed.seconds.median).toFixed(1)}x |`]
  })
  return ['| change | linked | composed | ratio |', '|---|---|---|---|', ...rows].join('\n')
}
