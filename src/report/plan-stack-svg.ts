import { formatBytes } from '../base/bytes.ts'
import { shorten } from './short-name.ts'
import { LETTER, n, svgPicture, svgRect, svgText } from './svg.ts'

/** One planned layer of dependencies, bottom layer first. */
export interface PlannedLayerRow {
  readonly title: string
  /** Compressed bytes. */
  readonly bytes: number
  /** Chance that the next lock change touches it, 0 to 1. */
  readonly changeRate: number
  readonly reason: string
  /** `torch 2.7.0` */
  readonly packages: readonly string[]
}

const WIDTH = 980
const BOX = 470
const BARS = { x: BOX + 24, width: 120 }
const LEAST = 24
const MOST = 74
const GAP = 3
const TOP = 58

/**
 * A picture of planned layers as a stack, the bottom layer below: boxes grow with the logarithm of the size, the bar
 * beside each is the chance that the next lock change touches it, and the number behind the bar is what that is
 * expected to cost.
 */
export function planStackSvg(layers: readonly PlannedLayerRow[], title: string): string {
  const expected = layers.reduce((sum, layer) => sum + layer.bytes * layer.changeRate, 0)
  const total = layers.reduce((sum, layer) => sum + layer.bytes, 0)
  const parts = [
    svgText(12, 20, 'ic-text ic-strong', shorten(title, 70)),
    svgText(
      WIDTH - 12,
      20,
      'ic-faint',
      `${formatBytes(total)}; ${formatBytes(expected)} expected for a lock change`,
      'end',
    ),
    svgText(12, 46, 'ic-faint ic-small', 'layer'),
    svgText(BARS.x, 46, 'ic-faint ic-small', 'chance that the next lock change touches it'),
  ]
  let y = TOP
  for (const layer of [...layers].reverse()) {
    const height = boxHeight(layer.bytes)
    parts.push(...rowOf(layer, y, height))
    y += height + GAP
  }
  return svgPicture(WIDTH, y + 8, title, parts)
}

function rowOf(layer: PlannedLayerRow, y: number, height: number): readonly string[] {
  const middle = y + height / 2 + 4
  const hover = `${layer.packages.join('\n')}`
  const bar = Math.max(1, BARS.width * Math.min(1, layer.changeRate))
  const percent = layer.changeRate < 0.01 ? '<1 %' : `${Math.round(layer.changeRate * 100)} %`
  const cost = `${percent}, ${formatBytes(layer.bytes * layer.changeRate)}`
  const room = Math.floor((WIDTH - BARS.x - BARS.width - 150) / LETTER)
  return [
    svgRect({ x: 12, y, width: BOX, height }, 'ic-built', hover),
    svgText(22, middle, 'ic-on ic-strong', shorten(layer.title, Math.floor((BOX - 100) / LETTER))),
    svgText(BOX + 2, middle, 'ic-on', formatBytes(layer.bytes), 'end'),
    svgRect({ x: BARS.x, y: y + height / 2 - 6, width: BARS.width, height: 12 }, 'ic-stripe'),
    svgRect({ x: BARS.x, y: y + height / 2 - 6, width: Number(n(bar)), height: 12 }, 'ic-cache-export', cost),
    svgText(BARS.x + BARS.width + 8, middle, 'ic-text ic-small', cost),
    svgText(BARS.x + BARS.width + 120, middle, 'ic-faint ic-small', shorten(layer.reason, room)),
  ]
}

function boxHeight(bytes: number): number {
  // 100 kB is the least height, 3 GB the most.
  const part = Math.log(Math.max(1, bytes / 1e5)) / Math.log(3e4)
  return Math.round(LEAST + (MOST - LEAST) * Math.min(1, part))
}
