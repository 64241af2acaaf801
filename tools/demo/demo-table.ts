import { formatBytes } from '../../src/base/bytes.ts'
import type { ReportTable } from '../../src/report/report-html.ts'
import { formatTime, type Measurement } from '../measure/measure-build.ts'
import type { Shape, ShapeText } from '../measure/shape.ts'

/** One shape, built in both ways. */
export interface DemoRow {
  readonly title: string
  readonly plain: Measurement
  readonly ours: Measurement
}

/** Pairs the builds of two ways, in the order of the shapes; a shape that one of them hasn't is left out. */
export function demoRows(
  shapes: readonly ShapeText[],
  plain: readonly Measurement[],
  ours: readonly Measurement[],
): readonly DemoRow[] {
  const find = (among: readonly Measurement[], shape: Shape): Measurement | undefined =>
    among.find((measured) => measured.shape === shape)
  return shapes.flatMap(({ shape, title }) => {
    const [left, right] = [find(plain, shape), find(ours, shape)]
    return left === undefined || right === undefined ? [] : [{ title, plain: left, ours: right }]
  })
}

const COLUMNS = ['time', 'pulled', 'pushed', 'built/reused']

/** The table that the demo ends with, as lines for a terminal. */
export function demoLines(rows: readonly DemoRow[]): readonly string[] {
  const header = ['', ...COLUMNS, ...COLUMNS, 'faster']
  const cells = rows.map(({ title, plain, ours }) => [title, ...cellsOf(plain), ...cellsOf(ours), ratio(plain, ours)])
  const widths = header.map((name, at) => Math.max(name.length, ...cells.map((row) => (row[at] ?? '').length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .map((cell, at) => (at === 1 || at === 1 + COLUMNS.length || at === header.length - 1 ? `| ${cell}` : cell))
      .join('  ')
  const names = line(header)
  const [, second] = [...names.matchAll(/\|/g)].map(({ index }) => index)
  const above = `${' '.repeat(names.indexOf('|'))}| plain buildx build`.padEnd(second ?? 0)
  const rule = names.replace(/[^|]/g, '-').replaceAll('|', '+')
  return [`${above}| image-cache build`, names, rule, ...cells.map(line)]
}

/** The same table for the page. */
export function demoTable(rows: readonly DemoRow[]): ReportTable {
  const both = (way: string): readonly string[] => COLUMNS.map((column) => `${way}: ${column}`)
  return {
    caption: 'Every build starts with an empty builder, as a job on a fresh runner does.',
    header: ['change', ...both('plain buildx'), ...both('image-cache'), 'faster'],
    rows: rows.map(({ title, plain, ours }) => [title, ...cellsOf(plain), ...cellsOf(ours), ratio(plain, ours)]),
  }
}

/** How many times faster the second was: `12x`, `1.3x`. */
export function ratio(plain: Pick<Measurement, 'seconds'>, ours: Pick<Measurement, 'seconds'>): string {
  const times = plain.seconds / ours.seconds
  return `${times < 10 ? times.toFixed(1) : Math.round(times)}x`
}

function cellsOf(measured: Measurement): readonly string[] {
  const { seconds, pulledBytes, pushedBytes, layersBuilt, layersReused, skipped } = measured
  const layers = skipped ? 'skipped' : `${layersBuilt}/${layersReused}`
  return [formatTime(seconds), formatBytes(pulledBytes), formatBytes(pushedBytes), layers]
}
