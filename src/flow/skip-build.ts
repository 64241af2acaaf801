import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { Content, UnknownContent } from './content.ts'
import type { ExistingImage } from './find-image.ts'
import { dropRecord, rememberImage } from './image-records.ts'
import { type ImageResult, skippedImage } from './image-result.ts'
import { rememberParts } from './missed.ts'
import type { ReportDraft } from './report-draft.ts'
import type { Source } from './source.ts'
import { tagImage } from './tag-image.ts'

/** A build that need not run, as its image exists. */
export interface Skippable {
  readonly inputs: BuildInputs
  readonly source: Source
  readonly content: Content | UnknownContent
  readonly existing: ExistingImage
}

/**
 * Puts the tags on an image that exists instead of building it. A record may name an image that is gone: it is dropped.
 * @returns undefined when the image must be built after all; the report then says why
 */
export async function skipBuild(
  { inputs, source, content, existing }: Skippable,
  deps: Deps,
  report: ReportDraft,
): Promise<ImageResult | undefined> {
  if (content.kind === 'unknown') return undefined
  const tagged = await report.stage('put tags', () => tagImage(inputs, content, existing, deps))
  if (tagged.kind === 'tagged') {
    report.add({ warnings: tagged.notes.map((message) => ({ message })), fullSeconds: existing.fullSeconds })
    if (existing.isNews) {
      rememberImage(inputs, content, existing.sources[0]?.digest, deps)
      rememberParts(inputs, source, content, deps)
    }
    return skippedImage(inputs, content, { ...tagged, reason: existing.reason }, report)
  }
  const trouble = tagged.isMissing ? await dropRecord(inputs, content, deps) : undefined
  const more = trouble === undefined ? '' : `; its record could not be dropped: ${trouble}`
  report.add({ warnings: [{ message: `${tagged.reason}${more}` }] })
  return undefined
}
