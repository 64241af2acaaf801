import { join } from 'node:path'
import { ImageCacheError } from '../base/errors.ts'
import { attestedProvenance } from '../buildx/attested-provenance.ts'
import { type BuildPlan, buildArgs, pushOutput, withImageConfig } from '../buildx/build-args.ts'
import { type BuildMetadata, buildReference } from '../buildx/build-metadata.ts'
import { pushedDigest } from '../buildx/build-trouble.ts'
import type { Builder, BuildxCommand, FoundBuilder } from '../buildx/builder.ts'
import type { CacheOption } from '../buildx/cache-option.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import type { PublishPlan } from '../buildx/publish-plan.ts'
import { publishSteps } from '../buildx/publish-steps.ts'
import { namedPush } from '../buildx/push-names.ts'
import type { BuildTools } from '../buildx/run-build.ts'
import { type CacheCall, type PublishTools, runPublish } from '../buildx/run-publish.ts'
import type { UserPlace } from '../buildx/user-places.ts'
import type { Deps } from '../deps.ts'
import { originalLine } from '../dockerfile/original-line.ts'
import { contentTag } from '../image/content-key.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatAnnotation } from '../registry/annotation.ts'
import { formatReference } from '../registry/reference.ts'
import { type BuildFolder, buildTools, prepareBuildFolder } from './build-folder.ts'
import { lookUp, type PushedImage } from './confirm-push.ts'
import type { Content, UnknownContent } from './content.ts'
import { repositoriesOf } from './find-image.ts'
import type { LiftedImage } from './lifted-image.ts'
import { nameImage } from './name-image.ts'
import { nextBuilder } from './next-builder.ts'
import { nothingToExport } from './nothing-to-export.ts'
import { type Source, shownDockerfile } from './source.ts'

export interface BuiltImage {
  readonly metadata: BuildMetadata
  readonly timeline: BuildTimeline
  /** Path of BuildKit's record of the build, when it was asked for and could be had. */
  readonly record?: string | undefined
}

/** An image that the builder made as a whole and pushed. */
export interface PushedBuild extends BuiltImage {
  /** What became of the cache, where its export was a call of its own. */
  readonly cache: CacheCall
  /** What the registry says of the image. */
  readonly pushed: PushedImage
  /** What had to be tried again, and why, one sentence each. */
  readonly notes: readonly string[]
}

/** What the build is made of, once everything before it is decided. */
export interface BuildOrder {
  readonly inputs: BuildInputs
  readonly source: Source
  readonly content: Content | UnknownContent
  /** The Dockerfile that is built: the user's own, or rewritten. */
  readonly dockerfile: string
  /** What the image needs beside the Dockerfile, where that was rewritten to leave its base alone. */
  readonly lifted: LiftedImage | undefined
  readonly publish: PublishPlan
  readonly builder: Builder
  readonly buildx: BuildxCommand
  /** Where to build when the builder is lost. */
  readonly next?: FoundBuilder['next']
}

/**
 * Builds the image and pushes it under the user's tags and the tag of its content.
 * @throws ImageCacheError when the build fails; `onEnd` has got the timeline then, too
 */
export async function buildAndPush(
  order: BuildOrder,
  deps: Deps,
  onEnd: (timeline: BuildTimeline) => void,
): Promise<PushedBuild> {
  const folder = await prepareBuildFolder('build', { Dockerfile: order.dockerfile }, order, deps)
  const planned = buildPlan(order, folder)
  const provenance = attestedProvenance(planned, deps.env, deps.context)
  const { plan, first, later } = namedPush({ ...planned, provenance })
  const tools = buildTools(order.buildx, folder, (line) => userPlace(order, deps.context.workspace, line), deps)
  const run = await runPublish(publishSteps(plan, order.publish.mode), publishTools(order, first, tools, deps))
  deps.display.finish(run.timeline)
  onEnd(run.timeline)
  const { image, cache } = run
  if (image.kind === 'failed') {
    const other = await nextBuilder(order, image.error, deps)
    return await buildAndPush({ ...order, ...other, next: other.next }, deps, onEnd)
  }
  if (cache.kind === 'failed' && order.publish.cacheTo.some(mustNotFail)) {
    throw new ImageCacheError('E_BUILD', `the cache export failed: ${cache.reason}`, {
      hint: 'The image is pushed. With ignore-error=true in cache-to a failed export is a warning.',
    })
  }
  const { metadata, pushed, notes } = await nameImage({ plan, first, later }, image.metadata, tools, deps.registry)
  const record = await keepRecord(order, metadata, deps)
  return { metadata, timeline: run.timeline, cache, pushed, notes: [...run.notes, ...notes], record }
}

function mustNotFail({ attributes }: CacheOption): boolean {
  return attributes.get('ignore-error') === 'false'
}

function publishTools(
  { inputs, publish, buildx }: BuildOrder,
  [name]: readonly string[],
  tools: BuildTools,
  deps: Deps,
): PublishTools {
  const limit = inputs.cacheTimeout * 1000
  return {
    ...tools,
    cacheLimit: limit,
    nothingToExport: async (image) => {
      const pushed = await lookUp(name, pushedDigest(image), deps.registry)
      return await nothingToExport(publish, image, pushed, deps.registry)
    },
    startLate: async (plan) => {
      const exports = plan.cacheTo.map(({ type, attributes }) => ({ type, ref: attributes.get('ref') ?? '' }))
      // The build's own folder is gone before the export is done.
      const args = (place: string) => [
        ...buildx.prefix,
        ...buildArgs({ ...plan, metadataFile: join(place, 'metadata.json') }),
      ]
      await deps.lateExports?.start({ command: buildx.command, args, limit, exports })
    },
  }
}

/** BuildKit's own record, which Docker Desktop opens. It lies beside the run's folder, which is removed. */
async function keepRecord(order: BuildOrder, metadata: BuildMetadata, deps: Deps): Promise<string | undefined> {
  if (!order.inputs.buildRecord) return undefined
  const ref = buildReference(metadata.text)
  const path = `${deps.context.tempDir}.dockerbuild`
  const { command, prefix } = order.buildx
  const args = [...prefix, 'history', 'export', '--builder', order.builder.name, '--output', path, ref ?? '']
  const answer = ref === undefined ? undefined : await deps.exec.run(command, args, { signal: deps.signal })
  if (answer?.exitCode === 0) return path
  const why = answer?.stderr.trim().split('\n').at(-1) ?? 'buildx did not name the build'
  deps.host.warning(`the record of the build could not be kept: ${why}`)
  return undefined
}

function userPlace({ source, dockerfile }: BuildOrder, workspace: string, line: number): UserPlace | undefined {
  const own = originalLine(source.dockerfile.text, dockerfile, line)
  return own === undefined ? undefined : { file: shownDockerfile(source, workspace), line: own }
}

/** The build as data. Pushed images also get the tag of their content, by which the next run finds them. */
export function buildPlan(
  order: BuildOrder,
  { dockerfile, secrets, metadataFile }: Pick<BuildFolder, 'dockerfile' | 'secrets' | 'metadataFile'>,
): BuildPlan {
  const { inputs, source, publish, lifted } = order
  const outputs = [
    ...inputs.outputs,
    ...(inputs.push ? [pushOutput(inputs.compression, lifted?.config, pushOptions(order))] : []),
    ...(inputs.load ? [withImageConfig('type=docker', lifted?.config)] : []),
  ]
  return {
    builder: order.builder.name,
    context: source.context,
    dockerfile,
    target: inputs.target,
    platforms: inputs.platforms,
    buildArgs: inputs.buildArgs,
    buildContexts: lifted?.buildContexts ?? inputs.buildContexts,
    labels: inputs.labels,
    annotations: inputs.annotations.map(formatAnnotation),
    secrets: secrets.options,
    tags: imageNames(inputs, order.content),
    outputs,
    cacheFrom: publish.cacheFrom,
    cacheTo: publish.cacheTo,
    allow: inputs.allow,
    provenance: inputs.provenance,
    sbom: inputs.sbom,
    noCache: inputs.noCache,
    pull: inputs.pull,
    options: inputs.builderOptions,
    metadataFile,
  }
}

/** An image that goes by digest, and by no tag of its content either, has names to push to without a tag. */
function pushOptions({ inputs, content }: BuildOrder): NonNullable<Parameters<typeof pushOutput>[2]> {
  const untagged = inputs.tags.filter(({ tag }) => tag === undefined).map(formatReference)
  return { byDigest: content.kind === 'known' ? [] : untagged, level: inputs.compressionLevel }
}

function imageNames(inputs: BuildInputs, content: Content | UnknownContent): readonly string[] {
  const names = inputs.tags.filter(({ tag }) => tag !== undefined).map(formatReference)
  const isAskedFor = inputs.push || (inputs.load && inputs.checkLocal)
  if (content.kind === 'unknown' || !isAskedFor) return names
  const tag = contentTag(content.key)
  return [...names, ...repositoriesOf(inputs).map((repository) => formatReference({ ...repository, tag }))]
}
