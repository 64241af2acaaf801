import { code, escapeMarkdown, table } from './markdown.ts'

/** An image that was looked for. */
export interface ReportedImage {
  readonly image: string
  readonly platforms: readonly string[]
  readonly outcome: 'found' | 'missing' | 'unknown' | 'assumed'
  readonly digest: string | undefined
  readonly missingPlatforms: readonly string[]
  readonly reason: string
}

const MARKS: Readonly<Record<ReportedImage['outcome'], string>> = {
  found: '✅',
  missing: '❌',
  unknown: '❔',
  assumed: '❔',
}

/** A line for each image. */
export function checkLines(images: readonly ReportedImage[]): readonly string[] {
  return images.map(({ image, platforms, outcome, digest, reason }) =>
    [outcome.padEnd('missing'.length), named(image, platforms), digest, `(${reason})`]
      .filter((part) => part !== undefined)
      .join(' '),
  )
}

/** A job summary: one row for each image. */
export function renderCheckSummary(images: readonly ReportedImage[]): string {
  const rows = images.map(({ image, platforms, outcome, digest, missingPlatforms, reason }) => [
    code(named(image, platforms)),
    `${MARKS[outcome]} ${outcome}`,
    digest === undefined ? '' : code(digest),
    missingPlatforms.map(code).join(' '),
    escapeMarkdown(reason),
  ])
  return `## Image check\n\n${table(['Image', 'Outcome', 'Digest', 'Missing platforms', 'Why'], rows)}\n`
}

/** An image that was asked for with one platform alone is called with it. */
function named(image: string, platforms: readonly string[]): string {
  return platforms.length === 1 ? `${image} (${platforms[0]})` : image
}
