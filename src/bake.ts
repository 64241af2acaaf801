import { join } from 'node:path'
import type { Digest } from './base/digest.ts'
import type { Deps, MadeBuilder } from './deps.ts'
import { type BakeBuild, readBakeBuilds } from './flow/bake-builds.ts'
import { type Content, identifyContent, type UnknownContent } from './flow/content.ts'
import { findImage } from './flow/find-image.ts'
import { fetchContext } from './flow/git-context.ts'
import type { ImageResult } from './flow/image-result.ts'
import type { ReportDraft } from './flow/report-draft.ts'
import { contextTools, readSource } from './flow/source.ts'
import type { BakeInputs } from './inputs/bake-inputs.ts'
import type { BuildInputs } from './inputs/build-inputs.ts'
import { buildImage } from './main.ts'

/** What one target of a bake run works with: a folder for temporary files of its own, and its own report. */
export interface BakeTools {
  readonly deps: Deps
  readonly report: ReportDraft
}

export interface BakedTarget {
  readonly name: string
  readonly result: ImageResult
}

/** A target that could not be had; `cause` says why, and the report what was done until there. */
export class TargetFailure extends Error {
  readonly target: string
  readonly report: ReportDraft

  constructor(target: string, report: ReportDraft, cause: unknown) {
    super(`target ${target} failed`, { cause })
    this.target = target
    this.report = report
  }
}

/**
 * The bake action's line: read the targets, ask for all images at once, put tags on those that exist, and build the
 * others one after another, after the targets that they stand on. A target that nobody asked for is built only when an
 * image that needs it is missing.
 * @param open the outside world of one target; `onDone` gets each as it ends, so that a failed run has shown the others
 * @throws ImageCacheError when the bake files can't be read, TargetFailure when an image can't be had
 */
export async function bakeImages(
  inputs: BakeInputs,
  deps: Deps,
  open: (build: BakeBuild) => BakeTools,
  onDone: (target: BakedTarget) => Promise<void>,
): Promise<void> {
  const builds = await readBakeBuilds(inputs, deps)
  const keyed = await withContentKeys(builds, deps)
  const found = await foundTargets(keyed, deps)
  const needed = neededTargets(keyed, found)
  const results = new Map<string, ImageResult>()
  // A builder that one target has made builds the others, too.
  let made: MadeBuilder | undefined
  const removeLater = (builder: MadeBuilder): void => {
    made ??= builder
    deps.builders?.removeLater(builder)
  }
  const run = async (build: KeyedBuild, given: BuildInputs): Promise<void> => {
    const { deps: own, report } = open(build)
    const builders = deps.builders === undefined ? {} : { builders: { ...deps.builders, removeLater } }
    const isShared = made !== undefined && given.endpoints.length === 0
    const buildInputs = isShared ? { ...given, builder: made?.name, driver: undefined, driverOpts: [] } : given
    const result = await buildImage(buildInputs, { ...own, ...builders }, report).catch((cause: unknown) => {
      throw new TargetFailure(build.name, report, cause)
    })
    results.set(build.name, result)
    if (build.isWanted) await onDone({ name: build.name, result })
  }
  const there = keyed.filter(({ name, isWanted }) => isWanted && found.has(name))
  await Promise.all(there.map((build) => run(build, { ...build.inputs, buildContexts: placeholders(build) })))
  for (const build of keyed.filter(({ name }) => needed.has(name))) {
    await run(build, withResults(build, keyed, results, deps))
  }
}

interface KeyedBuild extends BakeBuild {
  readonly content: Content | UnknownContent
  /** Whether another target stands on it that can't take it from a registry. */
  readonly goesToLayout: boolean
}

/** What an image is made of, for all: what stands for a target in the key of another is the key of its own content. */
async function withContentKeys(builds: readonly BakeBuild[], deps: Deps): Promise<readonly KeyedBuild[]> {
  const keys = new Map<string, Digest>()
  const keyed: KeyedBuild[] = []
  for (const build of builds) {
    const known = [...build.needs].map(([context, name]) => [context, keys.get(name)] as const)
    const contextKeys = new Map(known.flatMap(([context, key]) => (key === undefined ? [] : [[context, key] as const])))
    const inputs = { ...build.inputs, contextKeys }
    const content = await identify({ ...build, inputs }, deps)
    if (content.kind === 'known') keys.set(build.name, content.key)
    const isNeeded = builds.some(({ needs }) => [...needs.values()].includes(build.name))
    keyed.push({ ...build, inputs, content, goesToLayout: isNeeded && !isPushed(inputs) })
  }
  return keyed
}

async function identify(build: BakeBuild, deps: Deps): Promise<Content | UnknownContent> {
  const context = { ...deps.context, tempDir: join(deps.context.tempDir, 'keys', build.name) }
  const inputs = await fetchContext({ ...build.inputs, buildContexts: placeholders(build) }, { ...deps, context })
  const tools = contextTools(deps)
  const source = await readSource(inputs, deps.context.workspace, tools)
  return await identifyContent(inputs, source, deps.registry, tools)
}

/** Named contexts with a place for what other targets have yet to make; their keys stand for their content. */
function placeholders({ inputs, needs }: BakeBuild): ReadonlyMap<string, string> {
  return new Map([
    ...inputs.buildContexts,
    ...[...needs].map(([context, name]) => [context, `oci-layout://${name}`] as const),
  ])
}

/** The images that exist, all asked for at once. What stands on other targets is asked of the registry itself. */
async function foundTargets(builds: readonly KeyedBuild[], deps: Deps): Promise<ReadonlySet<string>> {
  const asked = builds.filter(({ isWanted, goesToLayout }) => isWanted && !goesToLayout)
  const answers = asked.map(async ({ name, inputs, content, needs }) => {
    const check = needs.size > 0 && inputs.check === 'auto' ? 'registry' : inputs.check
    const finding = await findImage({ ...inputs, check }, content, deps)
    return finding.kind === 'found' ? [name] : []
  })
  return new Set((await Promise.all(answers)).flat())
}

/** What has to be built: images that are missing, and all that they stand on and that no registry has. */
function neededTargets(builds: readonly KeyedBuild[], found: ReadonlySet<string>): ReadonlySet<string> {
  const needed = new Set<string>()
  for (const build of builds.toReversed()) {
    const isStoodOn = builds.some(({ name, needs }) => needed.has(name) && [...needs.values()].includes(build.name))
    if (found.has(build.name) ? false : build.isWanted || isStoodOn) needed.add(build.name)
  }
  return needed
}

/** A target's inputs with what the targets before it have made in the place of its named contexts. */
function withResults(
  build: KeyedBuild,
  builds: readonly KeyedBuild[],
  results: ReadonlyMap<string, ImageResult>,
  deps: Deps,
): BuildInputs {
  const made = [...build.needs].map(([context, name]) => {
    const digest = results.get(name)?.outputs.get('digest') ?? ''
    const before = builds.find((one) => one.name === name)
    const image = results.get(name)?.outputs.get('image') ?? ''
    const place =
      before?.goesToLayout === true
        ? `oci-layout://${layoutOf(name, deps)}:latest@${digest}`
        : `docker-image://${image}`
    return [context, place] as const
  })
  const { inputs, goesToLayout, name } = build
  return {
    ...inputs,
    buildContexts: new Map([...inputs.buildContexts, ...made]),
    outputs: goesToLayout ? [...inputs.outputs, `type=oci,tar=false,dest=${layoutOf(name, deps)}`] : inputs.outputs,
  }
}

function layoutOf(name: string, { context }: Deps): string {
  return join(context.tempDir, 'layouts', name)
}

function isPushed({ push, tags }: BuildInputs): boolean {
  return push && tags.length > 0
}
