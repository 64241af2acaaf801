import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuiltLayers, builtLayers } from '../assemble/built-layers.ts'
import type { KeptLayer } from '../assemble/kept-layer.ts'
import { ImageCacheError } from '../base/errors.ts'
import { isJsonList, isJsonRecord } from '../base/json-value.ts'
import { type BakeTarget, digestOutput } from '../buildx/bake-plan.ts'
import type { FoundBuilder } from '../buildx/builder.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import type { PublishPlan } from '../buildx/publish-plan.ts'
import { runBake } from '../buildx/run-bake.ts'
import type { PlaceOf } from '../buildx/user-places.ts'
import type { Deps } from '../deps.ts'
import type { ComposedPart } from '../dockerfile/composed-part.ts'
import { REST_STAGE, type RestDockerfile, renderGroups, renderRest } from '../dockerfile/render-composed.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatPlatform } from '../registry/platform.ts'
import { formatRepository, type RepositoryName } from '../registry/reference.ts'
import { buildTools, prepareBuildFolder } from './build-folder.ts'
import type { ComposedChoice, ComposedPlatform } from './choose-assembly.ts'
import { liftedContexts } from './lifted-image.ts'
import { nextBuilder } from './next-builder.ts'
import { type PreparedPublish, publishPlan } from './publish.ts'
import { type Source, shownDockerfile } from './source.ts'

type GroupPart = Extract<ComposedPart, { kind: 'group' }>
type CopyPart = Extract<ComposedPart, { kind: 'copy' }>

/** What must be built of one platform's image. */
export interface MissingParts {
  readonly image: ComposedPlatform
  readonly groups: readonly GroupPart[]
  readonly copies: readonly CopyPart[]
  /** Whether the steps below the parts must be built. */
  readonly below: boolean
}

/** What must be built for a composed image. */
export interface PartsOrder {
  readonly inputs: BuildInputs
  readonly source: Source
  readonly choice: ComposedChoice
  readonly missing: readonly MissingParts[]
}

export interface BuiltParts {
  readonly layers: ReadonlyMap<ComposedPart, KeptLayer>
  /** The images below the parts, where they were built. */
  readonly below: ReadonlyMap<ComposedPlatform, BuiltLayers>
  readonly timeline: BuildTimeline
  /** Caches that were read and written, for the report. */
  readonly publish: PreparedPublish | undefined
}

/**
 * Builds all missing parts in one call of the builder: each group as an image of its own, pushed by digest as soon as it is
 * ready, and for each platform one image with everything else. Then reads their layers back.
 * @throws ImageCacheError when the build fails; `onEnd` has got the timeline then, too
 */
export async function buildParts(
  order: PartsOrder,
  found: FoundBuilder,
  deps: Deps,
  onEnd: (timeline: BuildTimeline) => void,
): Promise<BuiltParts> {
  const { inputs, source, choice, missing } = order
  const works = missing.map((one) => partsWork(one, order))
  const texts = Object.fromEntries(works.map(({ restFile, rest }) => [restFile, rest.text]))
  const place = await prepareBuildFolder('build', texts, order, deps)
  const publish = missing.some(needsCache) ? await publishPlan(inputs, found, deps) : undefined
  const call = { folder: place.folder, secrets: place.secrets.options, publish }
  await mkdir(join(place.folder, EMPTY), { recursive: true })
  for (const { groups, groupsFile } of works) await writeFile(join(place.folder, groupsFile), renderGroups(groups, {}))
  const plan = {
    builder: found.builder.name,
    targets: works.flatMap((work) => targetsOf(work, order, call)),
    allow: inputs.allow,
    definitionFile: join(place.folder, 'bake.json'),
    metadataFile: place.metadataFile,
  }
  const placeOf = placesIn(works, shownDockerfile(source, deps.context.workspace))
  const run = await runBake(plan, buildTools(found.buildx, place, placeOf, deps))
  deps.display.finish(run.timeline)
  onEnd(run.timeline)
  if (run.kind === 'failed') return await buildParts(order, await nextBuilder(found, run.error, deps), deps, onEnd)

  const layers = new Map<ComposedPart, KeptLayer>()
  const below = new Map<ComposedPlatform, BuiltLayers>()
  const read = async (name: string, repository: RepositoryName, { platform }: ComposedPlatform) => {
    const digest = run.digests.get(name)
    if (digest === undefined)
      throw new ImageCacheError('E_BUILD', `the builder did not tell what it pushed for ${name}`)
    return await builtLayers(deps.registry, { ...repository, digest }, platform)
  }
  const readings = works.map(async (work) => {
    const { image, groups, copies } = work
    const tops = groups.map(async (part) => {
      const top = (await read(work.nameOf(part.name), choice.layersRepository, image)).layers.at(-1)
      if (top !== undefined) layers.set(part, top)
    })
    await Promise.all(tops)
    if (!hasRest(work)) return
    const split = splitRest(await read(work.nameOf(REST_STAGE), choice.repository, image), copies.length)
    for (const [index, part] of copies.entries()) {
      const layer = split.copies[index]
      if (layer !== undefined) layers.set(part, layer)
    }
    if (work.below) below.set(image, split.below)
  })
  await Promise.all(readings)
  return { layers, below, timeline: run.timeline, publish }
}

/** A folder without files: groups need none. */
const EMPTY = 'empty'

/** What is built for one platform, and under which names. */
interface PartsWork extends MissingParts {
  readonly rest: RestDockerfile
  readonly restFile: string
  readonly groupsFile: string
  /** Of the call's targets, which are those of all platforms. */
  readonly nameOf: (stage: string) => string
}

function partsWork(missing: MissingParts, { source, choice }: PartsOrder): PartsWork {
  const { image, copies } = missing
  const platform = formatPlatform(image.platform).replaceAll('/', '-')
  const own = choice.images.length === 1 ? '' : `-${platform}`
  return {
    ...missing,
    rest: renderRest(source.dockerfile, image.plan, copies, image.view),
    restFile: `Dockerfile${own}`,
    groupsFile: `${GROUPS_FILE}${own}`,
    nameOf: (stage) => `${stage}${own}`,
  }
}

const GROUPS_FILE = 'Dockerfile.groups'

/** Files of the build context are sent anew sooner than a cache is asked; what stages have made is worth asking for. */
function needsCache({ copies, below }: MissingParts): boolean {
  return below || copies.some(({ copy }) => copy.from !== undefined)
}

function hasRest({ copies, below }: MissingParts): boolean {
  return below || copies.length > 0
}

interface PartsCall {
  readonly folder: string
  readonly secrets: readonly string[]
  readonly publish: PublishPlan | undefined
}

function targetsOf(work: PartsWork, order: PartsOrder, call: PartsCall): readonly BakeTarget[] {
  const groups = work.groups.map((part) => groupTarget(part, work, order, call))
  return hasRest(work) ? [...groups, restTarget(work, order, call)] : groups
}

function groupTarget(part: GroupPart, work: PartsWork, { inputs, choice }: PartsOrder, call: PartsCall): BakeTarget {
  return {
    name: work.nameOf(part.name),
    context: join(call.folder, EMPTY),
    dockerfile: join(call.folder, work.groupsFile),
    stage: part.name,
    platforms: platformsOf(work, inputs),
    buildArgs: new Map(),
    buildContexts: new Map(),
    secrets: [],
    output: digestOutput(formatRepository(choice.layersRepository), inputs.compression, inputs.compressionLevel),
    cacheFrom: [],
    cacheTo: [],
    noCache: inputs.noCache,
    pull: false,
  }
}

function restTarget(work: PartsWork, { inputs, source, choice }: PartsOrder, call: PartsCall): BakeTarget {
  const { folder, secrets, publish } = call
  return {
    name: work.nameOf(REST_STAGE),
    context: source.context,
    dockerfile: join(folder, work.restFile),
    stage: work.rest.target,
    platforms: platformsOf(work, inputs),
    buildArgs: inputs.buildArgs,
    buildContexts: liftedContexts(inputs, work.image.root),
    secrets,
    output: digestOutput(formatRepository(choice.repository), inputs.compression, inputs.compressionLevel),
    cacheFrom: publish?.cacheFrom ?? [],
    cacheTo: publish?.cacheTo ?? [],
    noCache: inputs.noCache,
    pull: inputs.pull,
  }
}

/** Where the user names no platform the builder takes its own. */
function platformsOf({ image }: PartsWork, { platforms }: BuildInputs): readonly string[] {
  return platforms.length === 0 ? [] : [formatPlatform(image.platform)]
}

function placesIn(works: readonly PartsWork[], file: string): PlaceOf {
  return (line, name) => {
    const work = works.length === 1 ? works[0] : works.find(({ restFile }) => restFile === name)
    const own = name?.startsWith(GROUPS_FILE) ? undefined : work?.rest.originalLine(line)
    return own === undefined ? undefined : { file, line: own }
  }
}

/** The layers of the COPY steps lie on top of what is below the parts; so does their history. */
function splitRest(
  { layers, configJson }: BuiltLayers,
  copies: number,
): { readonly below: BuiltLayers; readonly copies: readonly KeptLayer[] } {
  const at = layers.length - copies
  if (at < 0) throw new ImageCacheError('E_BUILD', `the builder made ${layers.length} layers of ${copies} COPY steps`)
  const json = isJsonRecord(configJson) ? configJson : {}
  const history = isJsonList(json.history) ? json.history.slice(0, json.history.length - copies) : []
  const rootfs = { type: 'layers', diff_ids: layers.slice(0, at).map(({ diffId }) => diffId) }
  return { below: { layers: layers.slice(0, at), configJson: { ...json, history, rootfs } }, copies: layers.slice(at) }
}
