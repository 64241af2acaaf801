import { svgPicture, svgRect, svgText } from '../src/report/svg.ts'
import { formatTime } from '../tools/measure/measure-build.ts'
import { SHAPES } from '../tools/measure/shape.ts'
import { type BenchResult, findShape, type WayName } from './bench-result.ts'

const WIDTH = 980
const LEFT = 180
const RIGHT = 90
const BAR = 15
const CHART = WIDTH - LEFT - RIGHT

const WAYS: readonly (readonly [WayName, string, string])[] = [
  ['default', 'one RUN, gzip', 'ic-unknown'],
  ['zstd', 'one RUN, zstd', 'ic-cache-export'],
  ['chain', 'chain, zstd', 'ic-export'],
  ['ours', 'image-cache', 'ic-reused'],
]

/** Times of all projects as bars on a logarithmic axis, since they lie between a tenth of a second and minutes. */
export function resultsSvg(results: readonly BenchResult[]): string {
  const all = results.flatMap(({ shapes }) => shapes.map(({ seconds }) => seconds.median))
  const least = 10 ** Math.floor(Math.log10(Math.min(0.1, ...all)))
  const most = 10 ** Math.ceil(Math.log10(Math.max(10, ...all)))
  const scale = (seconds: number): number => LEFT + (Math.log(seconds / least) / Math.log(most / least)) * CHART
  const parts: string[] = []
  let y = 56
  for (const result of results) {
    parts.push(svgText(12, y + 12, 'ic-text ic-strong', `${result.project}-service`))
    y += 24
    for (const { shape, title } of SHAPES) {
      const bars = WAYS.flatMap(([way, name, className]) => {
        const one = findShape(result, way, shape)
        return one === undefined ? [] : [{ name, className, seconds: one.seconds.median }]
      })
      if (bars.length === 0) continue
      parts.push(svgText(LEFT - 10, y + (bars.length * BAR) / 2 + 4, 'ic-text', title, 'end'))
      for (const { name, className, seconds } of bars) {
        const width = Math.max(2, scale(seconds) - LEFT)
        const hover = `${result.project}, ${title}, ${name}: ${formatTime(seconds)}`
        parts.push(
          svgRect({ x: LEFT, y: y + 1, width, height: BAR - 2 }, className, hover),
          svgText(LEFT + width + 5, y + BAR - 3, 'ic-faint ic-small', formatTime(seconds)),
        )
        y += BAR
      }
      y += 9
    }
    y += 6
  }
  const axis = ticks(least, most).flatMap((seconds) => {
    const x = scale(seconds)
    const line = `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="52" y2="${y}" class="ic-line"/>`
    return [line, svgText(x, 48, 'ic-faint ic-small', formatTick(seconds), 'middle')]
  })
  const title = 'Time of a build on an emptied builder, logarithmic axis'
  return svgPicture(WIDTH, y + 8, title, [svgText(12, 20, 'ic-text ic-strong', title), ...legend(), ...axis, ...parts])
}

function legend(): readonly string[] {
  return WAYS.flatMap(([, name, className], at) => {
    const x = LEFT + 250 + at * 135
    return [svgRect({ x, y: 11, width: 11, height: 11 }, className), svgText(x + 16, 21, 'ic-faint ic-small', name)]
  })
}

function ticks(least: number, most: number): readonly number[] {
  const decades = Math.round(Math.log10(most / least))
  return Array.from({ length: decades + 1 }, (_, at) => least * 10 ** at)
}

function formatTick(seconds: number): string {
  return `${Number(seconds.toPrecision(3))} s`
}
