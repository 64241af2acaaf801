import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { attestedProvenance } from '../buildx/attested-provenance.ts'
import { type BuildPlan, pushOutput, withImageConfig } from '../buildx/build-args.ts'
import { isBuilderLost } from '../buildx/build-error.ts'
import { type BuildMetadata, buildReference } from '../buildx/build-metadata.ts'
import type { Builder, BuildxCommand, FoundBuilder } from '../buildx/builder.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import type { PublishPlan } from '../buildx/publish-plan.ts'
import { runBuild } from '../buildx/run-build.ts'
import type { UserPlace } from '../buildx/user-places.ts'
import type { Deps } from '../deps.ts'
import { originalLine } from '../dockerfile/original-line.ts'
import { contentTag } from '../image/content-key.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatAnnotation } from '../registry/annotation.ts'
import { formatReference } from '../registry/reference.ts'
import type { Content, UnknownContent } from './content.ts'
import { repositoriesOf } from './find-image.ts'
import type { LiftedImage } from './lifted-image.ts'
import { prepareSecrets } from './secret-files.ts'
import type { Source } from './source.ts'

export interface BuiltImage {
  readonly metadata: BuildMetadata
  readonly timeline: BuildTimeline
  /** Path of BuildKit's record of the build, when it was asked for and could be had. */
  readonly record?: string | undefined
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
): Promise<BuiltImage> {
  const folder = join(deps.context.tempDir, 'build')
  await mkdir(folder, { recursive: true })
  const secrets = await prepareSecrets(order.inputs.secrets, join(folder, 'secrets'), deps.env)
  const dockerfile = join(folder, 'Dockerfile')
  await writeFile(dockerfile, order.dockerfile)
  // Docker takes the ignore file that lies beside the Dockerfile; ours lies elsewhere than the user's.
  await writeFile(`${dockerfile}.dockerignore`, order.source.ignorePatterns)
  const planned = buildPlan(order, dockerfile, secrets.options, join(folder, 'metadata.json'))
  const plan = { ...planned, provenance: attestedProvenance(planned, deps.env, deps.context) }
  const run = await runBuild(plan, {
    exec: deps.exec,
    buildx: order.buildx,
    signal: deps.signal,
    secrets: secrets.values,
    env: {},
    onProgress: (timeline) => deps.display.update(timeline),
    placeOf: (line) => userPlace(order, deps.context.workspace, line),
  })
  deps.display.finish(run.timeline)
  onEnd(run.timeline)
  if (run.kind === 'built') return { ...run, record: await keepRecord(order, run, deps) }
  const other = isBuilderLost(run.error) ? await order.next?.() : undefined
  if (other === undefined) throw run.error
  const [said] = run.error.message.split('\n')
  deps.host.warning(`${order.builder.name} was lost during the build, ${other.builder.name} builds instead: ${said}`)
  return await buildAndPush({ ...order, ...other, next: other.next }, deps, onEnd)
}

/** BuildKit's own record, which Docker Desktop opens. It lies beside the run's folder, which is removed. */
async function keepRecord(order: BuildOrder, { metadata }: BuiltImage, deps: Deps): Promise<string | undefined> {
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
  if (own === undefined) return undefined
  // A git context lies outside the workspace; its files are known by their path in it.
  const inside = relative(workspace, source.dockerfilePath)
  const file = inside.startsWith('..') ? relative(source.context, source.dockerfilePath) : inside
  return { file, line: own }
}

/** The build as data. Pushed images also get the tag of their content, by which the next run finds them. */
export function buildPlan(
  order: BuildOrder,
  dockerfile: string,
  secrets: readonly string[],
  metadataFile: string,
): BuildPlan {
  const { inputs, source, publish, lifted } = order
  const outputs = [
    ...inputs.outputs,
    ...(inputs.push ? [pushOutput(inputs.compression, lifted?.config, namesByDigest(order))] : []),
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
    secrets,
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

/** Names to push to without a tag: those of an image that goes by digest, and by no tag of its content either. */
function namesByDigest({ inputs, content }: BuildOrder): readonly string[] {
  if (content.kind === 'known') return []
  return inputs.tags.filter(({ tag }) => tag === undefined).map(formatReference)
}

function imageNames(inputs: BuildInputs, content: Content | UnknownContent): readonly string[] {
  const names = inputs.tags.filter(({ tag }) => tag !== undefined).map(formatReference)
  const isAskedFor = inputs.push || (inputs.load && inputs.checkLocal)
  if (content.kind === 'unknown' || !isAskedFor) return names
  const tag = contentTag(content.key)
  return [...names, ...repositoriesOf(inputs).map((repository) => formatReference({ ...repository, tag }))]
}
