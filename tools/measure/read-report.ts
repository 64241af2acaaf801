import type { BuildReport } from '../../src/report/report.ts'

/**
 * The report in what `image-cache build --json` printed.
 * @throws SyntaxError when it isn't there
 */
export function readReport(stdout: string): BuildReport {
  const result: unknown = JSON.parse(stdout)
  const report = typeof result === 'object' && result !== null && 'report' in result ? result.report : undefined
  if (!isReport(report)) throw new SyntaxError('image-cache build --json printed no report')
  return report
}

/** The CLI and this file are of one commit: that it is a report at all is what can go wrong. */
function isReport(value: unknown): value is BuildReport {
  return (
    typeof value === 'object' &&
    value !== null &&
    'outcome' in value &&
    'seconds' in value &&
    typeof value.seconds === 'number' &&
    'layers' in value &&
    Array.isArray(value.layers) &&
    'stages' in value &&
    Array.isArray(value.stages)
  )
}
