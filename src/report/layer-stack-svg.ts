import { formatBytes } from '../base/bytes.ts'
import type { ReportLayer } from './report.ts'
import { shorten } from './short-name.ts'
import { LETTER, svgPicture, svgRect, svgText } from './svg.ts'

const WIDTH = 980
const BOX = 560
const LEAST = 24
const MOST = 74
const GAP = 3
const TOP = 50

/**
 * A picture of an image as the stack of its layers, the base image at the bottom. Boxes grow with the logarithm of the
 * size, so that a layer of 2 GB and one of 10 kB are both readable; colours say what was built and what was reused.
 */
export function layerStackSvg(layers: readonly ReportLayer[], title = 'Image layers'): string {
  let y = TOP
  const parts: string[] = [svgText(12, 20, 'ic-text ic-strong', shorten(title, 70)), ...legend(layers)]
  for (const layer of [...layers].reverse()) {
    const height = boxHeight(layer.bytes)
    parts.push(...layerParts(layer, y, height))
    y += height + GAP
  }
  parts.push(svgText(WIDTH - 12, 20, 'ic-faint', total(layers), 'end'))
  return svgPicture(WIDTH, y + 8, title, parts)
}

function layerParts(layer: ReportLayer, y: number, height: number): readonly string[] {
  const middle = y + height / 2 + 4
  const size = layer.bytes === undefined ? '' : formatBytes(layer.bytes)
  const names = layer.packages.join(', ')
  const room = Math.floor((BOX - 100) / LETTER)
  const twoLines = height >= 44 && names !== '' && names !== layer.what
  const hover = `${layer.what}${size === '' ? '' : `, ${size}`}\n${names}\n${layer.why}`
  return [
    svgRect({ x: 12, y, width: BOX, height }, `ic-${layer.state}`, hover),
    svgText(22, twoLines ? middle - 8 : middle, 'ic-on ic-strong', shorten(layer.what, room)),
    ...(twoLines ? [svgText(22, middle + 8, 'ic-on ic-small', shorten(names, room))] : []),
    svgText(BOX + 2, middle, 'ic-on', size, 'end'),
    svgText(
      BOX + 24,
      middle,
      'ic-faint',
      shorten(`${layer.state}: ${layer.why}`, Math.floor((WIDTH - BOX - 36) / LETTER)),
    ),
  ]
}

function boxHeight(bytes: number | undefined): number {
  if (bytes === undefined || bytes < 1e5) return LEAST
  // 100 kB is the least height, 3 GB the most.
  const part = Math.log(bytes / 1e5) / Math.log(3e4)
  return Math.round(LEAST + (MOST - LEAST) * Math.min(1, part))
}

function legend(layers: readonly ReportLayer[]): readonly string[] {
  const parts: string[] = []
  let x = 12
  for (const state of ['built', 'reused', 'unknown'] as const) {
    const count = layers.filter((layer) => layer.state === state).length
    if (count === 0) continue
    const text = `${count} ${state}`
    parts.push(
      svgRect({ x, y: 30, width: 11, height: 11 }, `ic-${state}`),
      svgText(x + 16, 40, 'ic-faint ic-small', text),
    )
    x += 36 + text.length * LETTER
  }
  return parts
}

function total(layers: readonly ReportLayer[]): string {
  const known = layers.filter(({ bytes }) => bytes !== undefined)
  if (known.length === 0) return ''
  const sum = (of: readonly ReportLayer[]) => of.reduce((bytes, layer) => bytes + (layer.bytes ?? 0), 0)
  return `${formatBytes(sum(known))}, ${formatBytes(sum(known.filter(({ state }) => state === 'built')))} of it built`
}
