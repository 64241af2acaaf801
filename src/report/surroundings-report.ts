/** One thing that a build needs, and whether it is there. */
export interface ReportedFinding {
  readonly what: string
  readonly outcome: 'works' | 'limited' | 'broken'
  readonly says: string
  readonly hint: string
}

const MARKS: Readonly<Record<ReportedFinding['outcome'], string>> = { works: '✓', limited: '!', broken: '✗' }

/** A line for each thing, and one below it where something can be done. */
export function findingLines(findings: readonly ReportedFinding[]): readonly string[] {
  return findings.flatMap(({ what, outcome, says, hint }) => [
    `${MARKS[outcome]} ${what}: ${says}`,
    ...(hint === '' ? [] : [`    ${hint}`]),
  ])
}
