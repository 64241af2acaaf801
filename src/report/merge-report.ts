import { code, table } from './markdown.ts'

/** An image for several platforms that was put together. */
export interface ReportedMerge {
  readonly digest: string
  readonly platforms: readonly string[]
  readonly attestations: number
  readonly tags: readonly string[]
  /** How many were given. */
  readonly images: number
}

/** A line for each tag, and what it stands for. */
export function mergeLines({ digest, platforms, attestations, tags, images }: ReportedMerge): readonly string[] {
  const said = attestations === 1 ? '1 attestation' : `${attestations} attestations`
  return [`${digest}: ${platforms.join(', ')}, ${said}, from ${images} digests`, ...tags.map((tag) => `tag ${tag}`)]
}

/** A job summary. */
export function renderMergeSummary({ digest, platforms, attestations, tags }: ReportedMerge): string {
  const rows = [
    ['Digest', code(digest)],
    ['Platforms', platforms.map(code).join(' ')],
    ['Attestations', String(attestations)],
    ['Tags', tags.map(code).join(' ')],
  ]
  return `## Image for several platforms\n\n${table(['', ''], rows)}\n`
}
