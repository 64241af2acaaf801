import { formatBytes } from '../base/bytes.ts'
import { formatSeconds } from '../base/duration.ts'
import { code, escapeMarkdown, table } from './markdown.ts'
import type { BuildReport } from './report.ts'
import { shorten } from './short-name.ts'

/** Rows of a table of what moved; the rest is one row. */
const MOST = 15

/** Who made the builder pull layers, and which layers steps made, as tables of a summary; empty when nothing moved. */
export function movesSummary({ pulls = [], madeLayers = [] }: BuildReport): string {
  const parts: string[] = []
  if (pulls.length > 0) {
    const rows = pulls
      .slice(0, MOST)
      .map(({ by, of, bytes, time, cached, hint }) => [
        code(shorten(by === '' ? 'unknown' : by, 90)),
        code(shorten(of.join(', '), 90)),
        formatBytes(bytes),
        formatSeconds(time / 1000),
        escapeMarkdown(hint ?? (cached ? '' : 'had to be')),
      ])
    parts.push(
      '### Pulled by the builder',
      table(['For', 'Layers of', 'Pulled>', 'Time>', 'What would spare it'], rows),
    )
  }
  if (madeLayers.length > 0) {
    const rows = [...madeLayers]
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, MOST)
      .map(({ step, bytes }) => [code(shorten(step, 120)), formatBytes(bytes)])
    parts.push('### Pushed', table(['Layer of', 'Pushed>'], rows))
  }
  return parts.join('\n\n')
}

/** The same as cells of plain text: for whom, how much, what would spare it. */
export function pullRows({ pulls = [] }: BuildReport): readonly (readonly string[])[] {
  return pulls
    .slice(0, MOST)
    .map(({ by, bytes, hint, cached }) => [
      shorten(by === '' ? 'unknown' : by, 60),
      formatBytes(bytes),
      hint ?? (cached ? '' : 'had to be'),
    ])
}
