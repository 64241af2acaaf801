/**
 * How fast progress streams are read, beside the least that any reader must do: `JSON.parse` of each line, and beside
 * reading it with a snapshot five times a second of the build's own time, as a running build does.
 * `node bench/progress.ts [--steps N] [--runs N]`
 */
import { parseArgs } from 'node:util'
import { manySteps, statusLine } from '../__tests__/support/rawjson-streams.ts'
import { createProgress } from '../src/buildx/progress.ts'
import { describeMachine } from './machine.ts'
import { spread } from './statistics.ts'

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '10000' }, runs: { type: 'string', default: '7' } },
})
const [steps, runs] = [Number(values.steps), Number(values.runs)]

/** Each step with a download that reports itself 20 times and the logs of a build: most of a real stream is these. */
const lines = manySteps(steps).flatMap((line, id) => {
  const blob = `sha256:${id.toString(16).padStart(64, '0')}`
  const counts = Array.from({ length: 20 }, (_, n) => statusLine(id, blob, [id * 10], [n * 1e6, 2e7]))
  return [line, ...counts]
})
const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)

const parsed: number[] = []
const read: number[] = []
const shown: number[] = []
for (let run = 0; run < runs; run += 1) {
  parsed.push(measure(() => lines.reduce((count, line) => count + Object.keys(JSON.parse(line)).length, 0)))
  read.push(
    measure(() => {
      const progress = createProgress()
      for (const line of lines) progress.push(line)
      return progress.snapshot().steps.length
    }),
  )
  shown.push(
    measure(() => {
      const progress = createProgress()
      let count = 0
      for (const [at, line] of lines.entries()) {
        progress.push(line)
        if (at % 5000 === 0) count += progress.snapshot().steps.length
      }
      return count
    }),
  )
}
const rate = (milliseconds: readonly number[]): string =>
  `${(bytes / 1e3 / spread(milliseconds).median).toFixed(0)} MB/s`
console.log(
  JSON.stringify(
    {
      machine: await describeMachine(),
      stream: `${steps} steps, ${lines.length} lines, ${(bytes / 1e6).toFixed(1)} MB`,
      'JSON.parse alone': rate(parsed),
      'whole stream read': rate(read),
      'read with snapshots on the way': rate(shown),
      'times of JSON.parse alone': (spread(read).median / spread(parsed).median).toFixed(2),
    },
    null,
    2,
  ),
)

function measure(run: () => number): number {
  const from = process.cpuUsage()
  if (run() === 0) throw new Error('nothing was read')
  // Time of the processor: what else runs on the machine then counts least.
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1000
}
