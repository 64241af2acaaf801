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
import { formatRepository, type RepositoryName } from '../registry/reference.ts'
import { buildTools, prepareBuildFolder } from './build-folder.ts'
import type { ComposedChoice } from './choose-assembly.ts'
import { liftedContexts } from './lifted-image.ts'
import { nextBuilder } from './next-builder.ts'
import { type PreparedPublish, publishPlan } from './publish.ts'
import { buildOptions, type Source, shownDockerfile, targetPlatform } from './source.ts'

type GroupPart = Extract<ComposedPart, { kind: 'group' }>
type CopyPart = Extract<ComposedPart, { kind: 'copy' }>

/** What must be built for a composed image. */
export interface PartsOrder {
  readonly inputs: BuildInputs
  readonly source: Source
  readonly choice: ComposedChoice
  readonly groups: readonly GroupPart[]
  readonly copies: readonly CopyPart[]
  /** Whether the steps below the parts must be built. */
  readonly below: boolean
}

export interface BuiltParts {
  readonly layers: ReadonlyMap<ComposedPart, KeptLayer>
  /** The image below the parts, where it was built. */
  readonly below: BuiltLayers | undefined
  readonly timeline: BuildTimeline
  /** Caches that were read and written, for the report. */
  readonly publish: PreparedPublish | undefined
}

/**
 * Builds all missing parts in one call of the builder: each group as an image of its own, pushed by digest as soon as it is
 * ready, and one image with everything else. Then reads their layers back.
 * @throws ImageCacheError when the build fails; `onEnd` has got the timeline then, too
 */
export async function buildParts(
  order: PartsOrder,
  found: FoundBuilder,
  deps: Deps,
  onEnd: (timeline: BuildTimeline) => void,
): Promise<BuiltParts> {
  const { inputs, source, choice, groups, copies } = order
  const rest = renderRest(source.dockerfile, choice.plan, copies, buildOptions(inputs))
  const place = await prepareBuildFolder('build', rest.text, order, deps)
  const { folder, secrets, metadataFile } = place
  await mkdir(join(folder, 'empty'), { recursive: true })
  const publish = needsCache(order) ? await publishPlan(inputs, found, deps) : undefined
  const targets = [
    ...groups.map((part) => groupTarget(part, order, folder)),
    ...(copies.length > 0 || order.below ? [restTarget(rest, order, folder, secrets.options, publish)] : []),
  ]
  await writeFile(join(folder, GROUPS_FILE), renderGroups(groups, {}))
  const definitionFile = join(folder, 'bake.json')
  const plan = { builder: found.builder.name, targets, allow: inputs.allow, definitionFile, metadataFile }
  const placeOf = placesIn(rest, shownDockerfile(source, deps.context.workspace))
  const run = await runBake(plan, buildTools(found.buildx, place, placeOf, deps))
  deps.display.finish(run.timeline)
  onEnd(run.timeline)
  if (run.kind === 'failed') return await buildParts(order, await nextBuilder(found, run.error, deps), deps, onEnd)

  const platform = targetPlatform(inputs)
  const read = async (name: string, repository: RepositoryName): Promise<BuiltLayers> => {
    const digest = run.digests.get(name)
    if (digest === undefined)
      throw new ImageCacheError('E_BUILD', `the builder did not tell what it pushed for ${name}`)
    return builtLayers(deps.registry, { ...repository, digest }, platform)
  }
  const layers = new Map<ComposedPart, KeptLayer>()
  await Promise.all(
    groups.map(async (part) => {
      const top = (await read(part.name, choice.layersRepository)).layers.at(-1)
      if (top !== undefined) layers.set(part, top)
    }),
  )
  const built = targets.some(({ name }) => name === REST_STAGE) ? await read(REST_STAGE, choice.repository) : undefined
  if (built === undefined) return { layers, below: undefined, timeline: run.timeline, publish }
  const split = splitRest(built, copies.length)
  for (const [index, part] of copies.entries()) {
    const layer = split.copies[index]
    if (layer !== undefined) layers.set(part, layer)
  }
  return { layers, below: order.below ? split.below : undefined, timeline: run.timeline, publish }
}

const GROUPS_FILE = 'Dockerfile.groups'

/** Files of the build context are sent anew sooner than a cache is asked; what stages have made is worth asking for. */
function needsCache({ copies, below }: PartsOrder): boolean {
  return below || copies.some(({ copy }) => copy.from !== undefined)
}

function groupTarget(part: GroupPart, { inputs, choice }: PartsOrder, folder: string): BakeTarget {
  return {
    name: part.name,
    context: join(folder, 'empty'),
    dockerfile: join(folder, GROUPS_FILE),
    stage: part.name,
    platforms: inputs.platforms,
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

function restTarget(
  rest: RestDockerfile,
  { inputs, source, choice }: PartsOrder,
  folder: string,
  secrets: readonly string[],
  publish: PublishPlan | undefined,
): BakeTarget {
  return {
    name: REST_STAGE,
    context: source.context,
    dockerfile: join(folder, 'Dockerfile'),
    stage: rest.target,
    platforms: inputs.platforms,
    buildArgs: inputs.buildArgs,
    buildContexts: liftedContexts(inputs, choice.root),
    secrets,
    output: digestOutput(formatRepository(choice.repository), inputs.compression, inputs.compressionLevel),
    cacheFrom: publish?.cacheFrom ?? [],
    cacheTo: publish?.cacheTo ?? [],
    noCache: inputs.noCache,
    pull: inputs.pull,
  }
}

function placesIn(rest: RestDockerfile, file: string): PlaceOf {
  return (line, name) => {
    const own = name === GROUPS_FILE ? undefined : rest.originalLine(line)
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
