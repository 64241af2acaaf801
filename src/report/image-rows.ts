import { formatBytes } from '../base/bytes.ts'
import { formatSeconds } from '../base/duration.ts'
import { isJsonRecord, parseJson, textField } from '../base/json-value.ts'
import { OUTCOME_MARKS, pulledBytes } from './header-line.ts'
import { code, escapeMarkdown, table } from './markdown.ts'
import type { BuildOutcome, BuildReport } from './report.ts'

/** One image of a job in one row. */
export interface ImageRow {
  readonly image: string
  readonly outcome: BuildOutcome
  readonly seconds: number
  readonly savedSeconds?: number | undefined
  readonly pulledBytes?: number | undefined
  readonly pushedBytes?: number | undefined
  readonly reason: string
}

export function imageRow(report: BuildReport): ImageRow {
  const { image, outcome, seconds, savedSeconds, pushedBytes, reason } = report
  return { image, outcome, seconds, savedSeconds, pulledBytes: pulledBytes(report), pushedBytes, reason }
}

/** Rows that earlier steps wrote, one JSON object a line; what is none is left out. */
export function readImageRows(text: string): readonly ImageRow[] {
  return text.split('\n').flatMap((line) => {
    const row = parseJson(line)
    if (!isJsonRecord(row) || typeof row.seconds !== 'number') return []
    const outcome = OUTCOMES.find((one) => one === row.outcome)
    const image = textField(row, 'image')
    if (outcome === undefined || image === undefined) return []
    const number = (name: string): number | undefined => (typeof row[name] === 'number' ? Number(row[name]) : undefined)
    return [
      {
        image,
        outcome,
        seconds: row.seconds,
        savedSeconds: number('savedSeconds'),
        pulledBytes: number('pulledBytes'),
        pushedBytes: number('pushedBytes'),
        reason: textField(row, 'reason') ?? '',
      },
    ]
  })
}

const OUTCOMES: readonly BuildOutcome[] = ['built', 'skipped', 'failed', 'cancelled']

/** A table over several images, with their sum. */
export function imagesTable(rows: readonly ImageRow[]): string {
  const bytes = (count: number | undefined): string => (count === undefined ? '' : formatBytes(count))
  const seconds = (count: number | undefined): string => (count === undefined || count <= 0 ? '' : formatSeconds(count))
  const sum = (field: 'seconds' | 'savedSeconds' | 'pulledBytes' | 'pushedBytes'): number | undefined => {
    const known = rows.flatMap((row) => row[field] ?? [])
    return known.length === 0 ? undefined : known.reduce((total, count) => total + count, 0)
  }
  const cells = rows.map((row) => [
    code(row.image),
    `${OUTCOME_MARKS[row.outcome]} ${row.outcome}`,
    formatSeconds(row.seconds),
    bytes(row.pulledBytes),
    bytes(row.pushedBytes),
    seconds(row.savedSeconds),
    escapeMarkdown(row.reason),
  ])
  const total = [`${rows.length} images`, '', seconds(sum('seconds')), bytes(sum('pulledBytes'))]
  const last = [...total, bytes(sum('pushedBytes')), seconds(sum('savedSeconds')), '']
  return table(['Image', 'Outcome', 'Time>', 'Pulled>', 'Pushed>', 'Saved>', 'Why'], [...cells, last])
}
