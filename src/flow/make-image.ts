import { builderText, type FoundBuilder } from '../buildx/builder.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { ImageReference } from '../registry/reference.ts'
import { type BuildOrder, type BuiltImage, buildAndPush } from './build-and-push.ts'
import { partsOf } from './choose-assembly.ts'
import { composeImage } from './compose-image.ts'
import type { Content, UnknownContent } from './content.ts'
import { isFull } from './full-build.ts'
import type { PlannedDockerfile } from './plan-dockerfile.ts'
import { planAnnotations } from './plan-memory.ts'
import { type PreparedPublish, publishPlan, tidyCaches } from './publish.ts'
import { rememberPublish } from './publish-memory.ts'
import type { ReportDraft } from './report-draft.ts'
import { describeAssembly, describeBuild, describeComposed } from './report-facts.ts'
import type { Source } from './source.ts'
import { verifyBuild, verifyImage } from './verify-build.ts'

/** An image that is to be made, with all decided that needs no builder. */
export interface ImageOrder {
  readonly inputs: BuildInputs
  readonly source: Source
  readonly content: Content | UnknownContent
  readonly dockerfile: PlannedDockerfile
}

/** An image that was made, and the Dockerfile that it was made from in the end. */
export interface MadeImage extends BuiltImage {
  readonly dockerfile: PlannedDockerfile
  /** Nothing of it was there before, so that its time is what other builds are compared with. */
  readonly isFull: boolean
}

/**
 * Makes the image in the way that was chosen: puts it together in the registry, or lets the builder make it as a whole.
 * @param finding awaited only where something must be built
 */
export async function makeImage(
  order: ImageOrder,
  finding: Promise<FoundBuilder>,
  deps: Deps,
  report: ReportDraft,
): Promise<MadeImage> {
  const { inputs, dockerfile } = order
  const { composed: choice, linkInstead } = dockerfile
  if (choice === undefined || linkInstead === undefined) return await buildWhole(order, finding, deps, report)
  const inspect = inputs.verify ? inspection(order, finding, deps, report) : undefined
  const made = await report.stage('compose the image', () =>
    composeImage({ ...order, choice, inspect, annotations: planAnnotations(dockerfile) }, finding, deps, (timeline) =>
      report.add({ timeline }),
    ),
  )
  if (made.kind === 'composed') {
    report.add(describeComposed(dockerfile, made))
    const parts = partsOf(choice).filter(({ kind }) => kind !== 'folders')
    return { ...made, dockerfile, isFull: made.built.size === parts.length }
  }
  const linked = await linkInstead(made.reason)
  report.add({ checks: describeAssembly(linked.assembly, linked.assemblyReason) })
  if (inputs.assemble === 'composed') report.add({ warnings: [{ message: linked.assemblyReason }] })
  return await buildWhole({ ...order, dockerfile: linked }, finding, deps, report)
}

async function buildWhole(
  order: ImageOrder,
  finding: Promise<FoundBuilder>,
  deps: Deps,
  report: ReportDraft,
): Promise<MadeImage> {
  const { inputs, dockerfile } = order
  const found = await finding
  report.add({ checks: [{ what: 'builder', outcome: 'found', detail: builderText(found.builder) }] })
  const build = await buildOrder(order, found, deps)
  const { publish } = build
  if (inputs.verify && dockerfile.assembly !== 'as-written') {
    const detail = await report.stage('verify', () => verifyBuild(build, deps))
    report.add({ checks: [{ what: 'verify', outcome: 'found', detail }] })
  }
  const built = await report.stage('build and push', () =>
    buildAndPush(build, deps, (timeline) => report.add({ timeline })),
  )
  const caches = await report.stage('tidy the cache', () => tidyCaches(publish, built, deps.registry))
  report.add(describeBuild(dockerfile, publish, built, caches))
  rememberPublish({ inputs, found, publish }, built, deps)
  return { ...built, dockerfile, isFull: isFull(built.timeline) }
}

/** Compares a composed image with what its Dockerfile makes, before it gets its tags. */
function inspection(order: ImageOrder, finding: Promise<FoundBuilder>, deps: Deps, report: ReportDraft) {
  return async (image: ImageReference): Promise<void> => {
    const detail = await verifyImage(await buildOrder(order, await finding, deps), image, deps)
    report.add({ checks: [{ what: 'verify', outcome: 'found', detail }] })
  }
}

async function buildOrder(
  { inputs, source, content, dockerfile }: ImageOrder,
  found: FoundBuilder,
  deps: Deps,
): Promise<BuildOrder & { readonly publish: PreparedPublish }> {
  const publish = await publishPlan(inputs, found, deps)
  return { inputs, source, content, dockerfile: dockerfile.text, lifted: dockerfile.lifted, publish, ...found }
}
