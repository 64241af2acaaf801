import type { Digest } from '../base/digest.ts'
import type { ImageCacheError } from '../base/errors.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatReference, formatRepository } from '../registry/reference.ts'
import type { BuildReport } from '../report/report.ts'
import type { BuiltImage } from './build-and-push.ts'
import type { Content, UnknownContent } from './content.ts'
import { pullLimitError } from './moved-bytes.ts'
import type { Assembly, PlannedDockerfile } from './plan-dockerfile.ts'
import type { ReportDraft } from './report-draft.ts'

/** What a run gives to the steps after it, and its report. */
export interface ImageResult {
  /** Values of the action's outputs by name. */
  readonly outputs: ReadonlyMap<string, string>
  readonly report: BuildReport
  /** What the user wants to be failed for, although the image is there. */
  readonly complaint?: ImageCacheError | undefined
  /** The Dockerfile that was built; undefined when nothing was. */
  readonly dockerfile: string | undefined
}

/** An image that was not built. Digests are unknown only of one that was assumed to exist. */
export interface SkippedImage {
  readonly digest: Digest | undefined
  readonly imageId: Digest | undefined
  /** How it is known that it exists. */
  readonly reason: string
}

export function skippedImage(
  inputs: BuildInputs,
  content: Content | UnknownContent,
  { digest, imageId, reason }: SkippedImage,
  report: ReportDraft,
): ImageResult {
  const tags = inputs.tags.map(formatReference)
  report.add({ digest, tags })
  const metadata = {
    ...(digest === undefined ? {} : { 'containerimage.digest': digest }),
    'image.name': tags.join(','),
  }
  const outputs = outputMap(inputs, content, digest, {
    imageid: imageId ?? '',
    metadata: JSON.stringify(metadata, null, 2),
    skipped: true,
    plan: '[]',
  })
  const sentence = `an image of this content exists (${reason}); its tags were put`
  return { outputs, report: report.finish('skipped', sentence), dockerfile: undefined }
}

export function builtImage(
  inputs: BuildInputs,
  content: Content | UnknownContent,
  dockerfile: PlannedDockerfile,
  { metadata, record }: BuiltImage,
  report: ReportDraft,
): ImageResult {
  report.add({ tags: inputs.tags.map(formatReference) })
  const outputs = outputMap(inputs, content, metadata.digest, {
    imageid: metadata.imageId ?? '',
    metadata: metadata.text,
    skipped: false,
    plan: JSON.stringify(planOutput(dockerfile)),
    record: record ?? '',
  })
  const finished = report.finish('built', ASSEMBLED[dockerfile.assembly])
  return { outputs, report: finished, dockerfile: dockerfile.text, complaint: pullLimitError(inputs, finished) }
}

const ASSEMBLED: Readonly<Record<Assembly, string>> = {
  composed: 'put together in the registry; dependencies are layers of their own',
  linked: 'dependencies are linked layers',
  chain: 'dependencies are a chain of layers',
  'as-written': 'the Dockerfile was built as written',
}

/** A run that asked the builder something and made no image. */
export function calledBuilder(inputs: BuildInputs, call: string, report: ReportDraft): ImageResult {
  const unknown = { kind: 'unknown', reason: 'nothing is built' } as const
  const outputs = outputMap(inputs, unknown, undefined, { imageid: '', metadata: '', skipped: false, plan: '[]' })
  return {
    outputs,
    report: report.finish('built', `the builder answered call: ${call}; no image was made`),
    dockerfile: undefined,
  }
}

function outputMap(
  inputs: BuildInputs,
  content: Content | UnknownContent,
  digest: Digest | undefined,
  more: {
    readonly imageid: string
    readonly metadata: string
    readonly skipped: boolean
    readonly plan: string
    readonly record?: string
  },
): ReadonlyMap<string, string> {
  const [tag] = inputs.tags
  return new Map([
    ['digest', digest ?? ''],
    ['imageid', more.imageid],
    ['metadata', more.metadata],
    ['content-key', content.kind === 'known' ? content.key : ''],
    ['image', digest === undefined || tag === undefined ? '' : `${formatRepository(tag)}@${digest}`],
    ['cache-hit', String(more.skipped)],
    ['skipped', String(more.skipped)],
    ['plan', more.plan],
    ['build-record', more.record ?? ''],
  ])
}

/** Layers with their packages, as other steps may read them. */
export function planOutput(dockerfile: PlannedDockerfile): unknown {
  return dockerfile.layers.flatMap(({ stage, plan }) =>
    plan.groups.map(({ packages, size, changeRate, reason }) => ({
      stage,
      bytes: size,
      changeRate,
      reason,
      packages: packages.map(({ name, version }) => `${name}==${version}`),
    })),
  )
}
