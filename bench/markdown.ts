import { formatBytes } from '../src/base/bytes.ts'
import { table } from '../src/report/markdown.ts'
import { formatTime } from '../tools/measure/measure-build.ts'
import { SHAPES } from '../tools/measure/shape.ts'
import { type BenchResult, findShape, type TimedResult, type WayName } from './bench-result.ts'
import type { Spread } from './statistics.ts'
import { checkTargets } from './targets.ts'

const WAYS: readonly (readonly [WayName, string])[] = [
  ['default', 'one RUN, gzip'],
  ['zstd', 'one RUN, zstd'],
  ['chain', 'chain, zstd'],
  ['ours', 'image-cache'],
]

/** All of one result as Markdown, without a heading. */
export function resultMarkdown(result: BenchResult): string {
  const { machine } = result
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`)
  return [
    `${result.date.slice(0, 10)}; ${machine.cores} cores (${machine.cpu}), ${formatBytes(machine.memory)} of memory, ${machine.system}; ${versions.join(', ')}.`,
    shapeTable(result),
    'Seconds: median (least to most, where it was measured several times). Pulled and pushed: MB of bodies between machine and registry; in brackets, of the pulled ones, those of the image and its cache, without base and installer image. "faster": how many times faster image-cache was than that way, in this run.',
    timedTable(result.timed),
    targetTable(result),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function shapeTable(result: BenchResult): string {
  const rows = SHAPES.flatMap(({ shape, title }) =>
    WAYS.flatMap(([way, name]) => {
      const one = findShape(result, way, shape)
      if (one === undefined) return []
      const ours = findShape(result, 'ours', shape)
      const times =
        way === 'ours' || ours === undefined ? '' : `${(one.seconds.median / ours.seconds.median).toFixed(1)}x`
      return [
        [
          title,
          way === 'ours' ? `**${name}**` : name,
          formatSpread(one.seconds),
          `${megabytes(one.pulledBytes)} (${megabytes(one.pulledOwnBytes)})`,
          megabytes(one.pushedBytes),
          `${one.layersBuilt}/${one.layersReused}`,
          times,
        ],
      ]
    }),
  )
  return table(['change', 'way', 'time>', 'MB pulled>', 'MB pushed>', 'layers built/reused>', 'faster>'], rows)
}

function timedTable(timed: readonly TimedResult[]): string {
  if (timed.length === 0) return ''
  const names = {
    'action-exists': 'whole action, the image exists (record in the cache)',
    'buildx-cached': 'buildx build --push, fully cached in a registry cache',
    bundle: 'loading the bundle',
  } as const
  const rows = timed.map(({ name, latencyMs, seconds, registryRequests, cacheRequests }) => [
    names[name],
    latencyMs === 0 ? 'loopback' : `${latencyMs} ms a request`,
    formatSpread(seconds),
    registryRequests === undefined ? '' : String(registryRequests),
    cacheRequests === undefined ? '' : String(cacheRequests),
  ])
  return table(['what', 'network', 'time>', 'registry requests>', 'cache requests>'], rows)
}

function targetTable(result: BenchResult): string {
  const rows = checkTargets(result).map(({ what, wanted, found, reached }) => [
    what,
    wanted,
    found,
    reached === undefined ? '' : reached ? 'reached' : '**not reached**',
  ])
  return table(['target', 'wanted', 'found', ''], rows)
}

/** `4.4 s (4.3 to 4.9)`, or the one value. */
export function formatSpread({ min, median, max, runs }: Spread): string {
  if (runs === 1) return formatTime(median)
  const bare = (seconds: number): string => formatTime(seconds).replace(/ s$/, '')
  return `${formatTime(median)} (${bare(min)} to ${bare(max)})`
}

function megabytes(bytes: number): string {
  const count = bytes / 1e6
  if (count < 0.05) return '0.0'
  return count < 100 ? count.toFixed(1) : Math.round(count).toLocaleString('en-US')
}

const BEGIN = '<!-- results: begin -->'
const END = '<!-- results: end -->'

/** Puts a text between the markers of a document; a document without markers is left as it is. */
export function insertResults(document: string, text: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)]
  if (begin < 0 || end < begin) return document
  return `${document.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${document.slice(end)}`
}
