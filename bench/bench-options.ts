import { parseArgs } from 'node:util'
import { USUAL_WAYS, WAY_NAMES, type WayName } from './bench-result.ts'

export const BENCH_USAGE = `Usage: npm run bench [-- options]

Builds one project in four ways side by side, each build on an emptied builder, and measures time and bytes.

  --project NAME  small (default), sklearn or torch (2.8 GB of packages, 40 GB of disk, about half an hour)
  --runs N        how often each change is measured, 1 to 5, default 3; a change whose builds take longer than a
                  minute together is measured less often, a cold build once
  --ways NAMES    only some ways, with commas between them: default, zstd, chain, ours; or ours in both forms:
                  linked, composed
  --latency MS    time that each request takes in the second half of the rows about existing images, default 50
  --json FILE     write this run's result there, too
  --out FOLDER    where results.json and results.svg go, default docs/benchmarks; FOLDER.md gets the tables where it
                  has the markers for them`

export interface BenchOptions {
  readonly project: string
  readonly runs: number
  readonly ways: readonly WayName[]
  readonly latency: number
  readonly json: string | undefined
  readonly out: string | undefined
}

/** Reads the bench's arguments; a text is what to say instead of running. */
export function parseBenchOptions(
  args: readonly string[],
): BenchOptions | { readonly text: string; readonly exitCode: number } {
  const refuse = (text: string): { text: string; exitCode: number } => ({
    text: `${text}\n\n${BENCH_USAGE}`,
    exitCode: 2,
  })
  try {
    const options = {
      project: { type: 'string', default: 'small' },
      runs: { type: 'string', default: '3' },
      ways: { type: 'string', default: USUAL_WAYS.join(',') },
      latency: { type: 'string', default: '50' },
      json: { type: 'string' },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    } as const
    const { values } = parseArgs({ args: [...args], options })
    if (values.help) return { text: BENCH_USAGE, exitCode: 0 }
    if (!/^[1-5]$/.test(values.runs)) return refuse(`--runs: "${values.runs}" is not a number from 1 to 5`)
    if (!/^\d{1,4}$/.test(values.latency))
      return refuse(`--latency: "${values.latency}" is not a number of milliseconds`)
    if (!['small', 'sklearn', 'torch'].includes(values.project)) {
      return refuse(`--project: "${values.project}" is not one of small, sklearn, torch`)
    }
    const asked = values.ways.split(',')
    const unknown = asked.find((name) => !WAY_NAMES.some((way) => way === name))
    if (unknown !== undefined) return refuse(`--ways: "${unknown}" is not one of ${WAY_NAMES.join(', ')}`)
    const ways = WAY_NAMES.filter((way) => asked.includes(way))
    const { project, json, out } = values
    return { project, runs: Number(values.runs), ways, latency: Number(values.latency), json, out }
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error))
  }
}
