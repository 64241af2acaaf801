import { formatBytes } from '../base/bytes.ts'
import { ImageCacheError } from '../base/errors.ts'
import { isJsonList, isJsonRecord, textField } from '../base/json-value.ts'
import { auditPulls, type PullFinding } from '../buildx/pull-audit.ts'
import { type HeldImage, type StepLayer, stepLayers } from '../buildx/step-layers.ts'
import type { Deps } from '../deps.ts'
import type { Dockerfile } from '../dockerfile/dockerfile.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { imageConfig } from '../registry/image-config.ts'
import { withDigest } from '../registry/reference.ts'
import type { BuildReport, ReportWarning } from '../report/report.ts'
import type { MadeImage } from './make-image.ts'
import { type Source, shownDockerfile, targetPlatform } from './source.ts'

/** A pull below this size is not worth a remark on the user's code. */
const REMARKABLE = 20_000_000

/**
 * Which bytes moved, and for whom: what the builder pulled for each step or export, and the layers that steps of this
 * build made. Of several platforms the first one's layers stand for all.
 */
export async function describeMoves(
  inputs: BuildInputs,
  source: Source,
  { timeline, metadata, dockerfile }: MadeImage,
  deps: Deps,
): Promise<Partial<BuildReport>> {
  const pulls = auditPulls(timeline)
  const [tag] = inputs.tags
  const { digest } = metadata
  const ran = timeline.steps.some(
    ({ cached, kind, intervals }) => !cached && intervals.length > 0 && kind !== 'internal',
  )
  // The steps of a composed image made images of their own; what it is made of has been told.
  const isWhole = dockerfile.assembly !== 'composed'
  const image =
    inputs.push && ran && isWhole && tag !== undefined && digest !== undefined
      ? await heldImage(inputs, withDigest(tag, digest), deps)
      : undefined
  const made = image === undefined ? [] : stepLayers(timeline.steps, image)
  return {
    pulls,
    madeLayers: made,
    ...(image === undefined ? {} : { pushedBytes: sum(made) }),
    warnings: pulls.flatMap((pull) => remark(pull, source, deps.context.workspace)),
  }
}

/** Fails a build that pulled more than the user allows; the image is there all the same. */
export function pullLimitError({ failOnPullOver }: BuildInputs, report: BuildReport): ImageCacheError | undefined {
  const pulled = report.pulledBytes ?? 0
  if (failOnPullOver === undefined || pulled <= failOnPullOver) return undefined
  const [largest] = report.pulls ?? []
  const by = largest === undefined || largest.by === '' ? '' : `, ${formatBytes(largest.bytes)} of it for ${largest.by}`
  return new ImageCacheError(
    'E_PULLED',
    `the builder pulled ${formatBytes(pulled)}${by}; fail-on-pull-over allows ${formatBytes(failOnPullOver)}`,
    { hint: largest?.hint ?? 'The table "Pulled by the builder" of the summary names who needed what.' },
  )
}

/** A hint at the line of the user's own step; outputs have none. */
function remark(pull: PullFinding, source: Source, workspace: string): readonly ReportWarning[] {
  if (pull.hint === undefined || pull.bytes < REMARKABLE) return []
  const line = lineOf(pull.by, source.dockerfile)
  if (line === undefined) return []
  const what = pull.cached ? 'layers that were cached' : 'layers below it'
  const message = `this step made the builder pull ${formatBytes(pull.bytes)} of ${what}. ${pull.hint}`
  return [{ message, file: shownDockerfile(source, workspace), line }]
}

/** BuildKit names a step by its text, with arguments filled in: only a text that stands once as it is surely is the one. */
function lineOf(step: string, { stages }: Dockerfile): number | undefined {
  const wanted = plain(step.replace(/^\[[^\]]*\] /, ''))
  const same = stages
    .flatMap(({ instructions }) => instructions)
    .filter(({ keyword, flags, rest }) => {
      const shown = flags.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${value}`))
      return plain([keyword, ...shown, rest].join(' ')) === wanted
    })
  return same.length === 1 ? same[0]?.lines.first : undefined
}

function plain(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** The image as it was pushed; a registry that doesn't tell spoils a number of the report and nothing else. */
async function heldImage(
  inputs: BuildInputs,
  reference: ReturnType<typeof withDigest>,
  deps: Pick<Deps, 'registry'>,
): Promise<HeldImage | undefined> {
  const found = await imageConfig(deps.registry, reference, targetPlatform(inputs)).catch(() => undefined)
  if (found?.kind !== 'found') return undefined
  return { history: readHistory(found.configJson), layers: found.layers.map(({ size }) => size) }
}

function readHistory(config: unknown): HeldImage['history'] {
  const entries = isJsonRecord(config) && isJsonList(config.history) ? config.history : []
  return entries
    .filter(isJsonRecord)
    .map((entry) => ({ createdBy: textField(entry, 'created_by') ?? '', isEmpty: entry.empty_layer === true }))
}

function sum(layers: readonly StepLayer[]): number {
  return layers.reduce((bytes, layer) => bytes + layer.bytes, 0)
}
