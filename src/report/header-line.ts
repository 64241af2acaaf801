import { formatBytes } from '../base/bytes.ts'
import { formatSeconds } from '../base/duration.ts'
import type { BuildOutcome, BuildReport } from './report.ts'

export const OUTCOME_MARKS: Readonly<Record<BuildOutcome, string>> = {
  built: '✅',
  skipped: '⏭️',
  failed: '❌',
  cancelled: '🛑',
}

/** What happened in numbers, plain text: `built in 4.4 s, 2 of 6 layers built, 12 kB pulled, saved 2 min 9 s`. */
export function headerLine(report: BuildReport): string {
  const parts = [`${outcomeWord(report.outcome)} ${formatSeconds(report.seconds)}`]
  const built = report.layers.filter(({ state }) => state === 'built').length
  if (report.layers.length > 0 && report.outcome === 'built') {
    parts.push(`${built} of ${report.layers.length} layers built`)
  }
  const pulled = pulledBytes(report)
  if (pulled !== undefined) parts.push(`${formatBytes(pulled)} pulled`)
  if (report.pushedBytes !== undefined) parts.push(`${formatBytes(report.pushedBytes)} pushed`)
  if (report.savedSeconds !== undefined && report.savedSeconds > 0) {
    parts.push(`saved ${formatSeconds(report.savedSeconds)}`)
  }
  return parts.join(', ')
}

/** Bytes pulled as measured, else as the builder's progress tells. */
export function pulledBytes(report: BuildReport): number | undefined {
  return report.pulledBytes ?? report.timeline?.pulledBytes
}

function outcomeWord(outcome: BuildOutcome): string {
  return outcome === 'built' || outcome === 'skipped' ? `${outcome} in` : `${outcome} after`
}
