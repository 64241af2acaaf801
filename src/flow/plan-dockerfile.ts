import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { formatBytes } from '../base/bytes.ts'
import type { FoundBuilder } from '../buildx/builder.ts'
import type { Deps } from '../deps.ts'
import type { StageLayers } from '../dockerfile/dependency-stage.ts'
import type { BuildView, Refusal } from '../dockerfile/dockerfile.ts'
import type { CopyLink } from '../dockerfile/link-copies.ts'
import { renderGroups, renderRest } from '../dockerfile/render-composed.ts'
import { renderLinked } from '../dockerfile/render-dockerfile.ts'
import { type StepOnTop, stepsOnTop } from '../dockerfile/steps-on-top.ts'
import { isLink, isOddFolder } from '../image/context-hash.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatPlatform } from '../registry/platform.ts'
import { formatReference, parseReference, withDigest } from '../registry/reference.ts'
import { resolveDigest } from '../registry/resolve-digest.ts'
import type { ReportDockerfileStep } from '../report/report.ts'
import { baseFiles } from './base-files.ts'
import { type BaseImages, readBaseImages } from './base-images.ts'
import { type ComposedChoice, chooseAssembly } from './choose-assembly.ts'
import type { Content, UnknownContent } from './content.ts'
import { type Dependencies, planDependencies } from './dependencies.ts'
import { type LiftedImage, liftableTarget, liftedImage } from './lifted-image.ts'
import { historyOfLocks } from './lock-history.ts'
import type { PlatformView } from './lock-platforms.ts'
import { recallPlan } from './plan-memory.ts'
import { installerRunner } from './run-installer.ts'
import { nativePlatform, platformOptions, type Source } from './source.ts'

/** More projects than a context has. */
const MOST_PROJECTS = 500

/** How dependency layers become part of the image. */
export type Assembly = 'composed' | 'linked' | 'chain' | 'as-written'

/** The Dockerfile that is built, and what was done to the user's. */
export interface PlannedDockerfile {
  readonly text: string
  readonly assembly: Assembly
  /** Why it is assembled like that; empty where there is nothing to assemble. */
  readonly assemblyReason: string
  readonly layers: readonly StageLayers[]
  readonly steps: readonly ReportDockerfileStep[]
  /** Install steps that stay. */
  readonly refusals?: readonly Refusal[]
  readonly notes: readonly string[]
  /** Bytes of images that were pulled to plan. */
  readonly pulledBytes: number
  /** Set where the Dockerfile alone no longer says what the image's configuration is. */
  readonly lifted?: LiftedImage | undefined
  /** Set where the image is put together in the registry. */
  readonly composed?: ComposedChoice | undefined
  /** The same layers for a builder that must make the image as a whole after all. @param reason one sentence */
  readonly linkInstead?: ((reason: string) => Promise<PlannedDockerfile>) | undefined
}

/** Plans the layers of dependencies and writes the Dockerfile that makes them. */
export async function planDockerfile(
  inputs: BuildInputs,
  source: Source,
  content: Content | UnknownContent,
  /** Awaited only where something must run on it: versions that are remembered need no builder. */
  found: Promise<FoundBuilder>,
  deps: Deps,
): Promise<PlannedDockerfile> {
  if (content.kind === 'unknown') return asWritten(source, [`base images are not known: ${content.reason}`], [])
  const projectFiles = await readProjectFiles(source)
  const views = platformOptions(inputs).map(async (options): Promise<PlatformView> => {
    const images = await readBaseImages(source, content, options, deps.registry, (base) =>
      inputs.optimizeLayers ? baseFiles(base, deps) : Promise.resolve(undefined),
    )
    const view = { ...options, baseImage: images.byReference, ...contextView(source), projectFiles }
    return { platform: options.platform ?? nativePlatform(), view, images }
  })
  const platforms = await Promise.all(views)
  const [first, ...others] = platforms
  if (first === undefined) throw new RangeError('there is no platform')
  const { view, images } = first
  let pulledBytes = 0
  const installers = new Map<string, Promise<string>>()
  const dependencies = await planDependencies(inputs, source, {
    view,
    images,
    others,
    // Stages and platforms with the same Python ask for the same one.
    installerFor: (python) => {
      const pinned = installers.get(python) ?? pinInstaller(inputs, python, deps)
      installers.set(python, pinned)
      return pinned
    },
    runInstaller: installerRunner(inputs, found, deps, (bytes) => {
      pulledBytes += bytes
    }),
    store: deps.store,
    recallPlan: (stage) => recallPlan(inputs, stage, deps),
    historyOf: (files, names) => historyOfLocks(files, names, deps.exec, deps.signal),
  })
  const planned = { inputs, source, images, view, dependencies, pulledBytes }
  if (dependencies.layers.length === 0) {
    if (inputs.linkCopies === 'all') return await linkedDockerfile(planned, LINKS_ALONE, found, deps)
    const { notes, refusals } = dependencies
    return { ...asWritten(source, notes, leftSteps(source, dependencies)), refusals, pulledBytes }
  }
  const choice = chooseAssembly(inputs, source, platforms, dependencies.layers, deps)
  if (choice.way !== 'composed') return await linkedDockerfile(planned, choice, found, deps)
  const linkInstead = (reason: string): Promise<PlannedDockerfile> =>
    linkedDockerfile(planned, { way: 'linked', reason: `not composed: ${reason}` }, found, deps)
  return { ...composedDockerfile(planned, choice), linkInstead }
}

function contextView({
  files: { files, entries },
}: Source): Pick<BuildView, 'contextFiles' | 'contextLinks' | 'oddFolders'> {
  const paths = (isMeant: (entry: string) => boolean): readonly string[] =>
    [...entries].flatMap(([path, entry]) => (isMeant(entry) ? [path] : []))
  return { contextFiles: files, contextLinks: new Set(paths(isLink)), oddFolders: paths(isOddFolder) }
}

/** Of an image without layers of dependencies. */
const LINKS_ALONE = { way: 'linked', reason: 'COPY steps that need nothing of what is below them' } as const

/** What is known once the layers are planned. */
interface PlannedLayers {
  readonly inputs: BuildInputs
  readonly source: Source
  readonly images: BaseImages
  readonly view: BuildView
  readonly dependencies: Dependencies
  readonly pulledBytes: number
}

/** Shows what is built where nothing is there; what is there is left out. */
function composedDockerfile(planned: PlannedLayers, choice: ComposedChoice): PlannedDockerfile {
  const { source } = planned
  const { images, reason } = choice
  const texts = images.map(({ platform, plan, view }) => {
    const of = images.length === 1 ? '' : ` (${formatPlatform(platform)})`
    const copies = plan.parts.filter((part) => part.kind === 'copy')
    const rest = renderRest(source.dockerfile, plan, copies, view)
    const groups = renderGroups(plan.parts, {})
    return `# image-cache: layers of dependencies, each an image of its own${of}\n${groups}\n${rest.text}`
  })
  return {
    ...plannedSteps(planned, images[0]?.plan.links ?? [], images[0]?.plan.passed ?? new Map()),
    text: texts.join('\n'),
    assembly: 'composed',
    assemblyReason: reason,
    composed: choice,
  }
}

async function linkedDockerfile(
  planned: PlannedLayers,
  { way, reason }: { readonly way: 'linked' | 'chain'; readonly reason: string },
  found: Promise<FoundBuilder>,
  deps: Deps,
): Promise<PlannedDockerfile> {
  const { inputs, source, images, view, dependencies } = planned
  const isChain = way === 'chain'
  const isLifted = !isChain && inputs.linkCopies !== 'off'
  const target = isLifted ? liftableTarget(inputs, source, images, (await found).builder, deps.env) : undefined
  const options = { ...view, lift: target?.options, chain: isChain }
  const rendered = renderLinked(source.dockerfile, dependencies.layers, options)
  return {
    ...plannedSteps(planned, rendered.links, rendered.passed),
    text: rendered.text,
    assembly: way,
    assemblyReason: reason,
    lifted: target && rendered.config ? liftedImage(rendered.config, inputs, target.root) : undefined,
  }
}

function plannedSteps(
  { source, dependencies, view, pulledBytes }: PlannedLayers,
  links: readonly CopyLink[],
  passed: ReadonlyMap<number, number>,
): Pick<PlannedDockerfile, 'layers' | 'steps' | 'refusals' | 'notes' | 'pulledBytes'> {
  const linked = links.map((link): ReportDockerfileStep => {
    return {
      line: link.line,
      text: lineOf(source, link.line),
      what: link.linked ? 'linked' : 'left',
      reason: link.reason,
    }
  })
  const replaced = dependencies.layers.filter(({ way }) => way !== 'seed')
  const rewritten = replaced.flatMap((layers) =>
    layers.steps.map(({ lines, command }): ReportDockerfileStep => {
      return {
        line: lines.first,
        text: command,
        what: 'rewritten',
        reason: `${layers.plan.groups.length} independent layers`,
      }
    }),
  )
  const moved = [...passed]
    .filter(([line]) => !rewritten.some((step) => step.line === line))
    .map(([line, install]): ReportDockerfileStep => {
      const reason = `reorder: built before the layers of line ${install}, as it neither needs the packages nor changes them`
      return { line, text: lineOf(source, line), what: 'moved', reason }
    })
  const told = new Set([...dependencies.refusals, ...moved].map(({ line }) => line))
  const onTop = stepsOnTop(source.dockerfile, dependencies.layers, view, told).map((step): ReportDockerfileStep => {
    return { line: step.line, text: lineOf(source, step.line), what: 'left', reason: costOnTop(step) }
  })
  return {
    layers: dependencies.layers,
    steps: [...rewritten, ...linked, ...moved, ...leftSteps(source, dependencies), ...onTop].sort(
      (a, b) => a.line - b.line,
    ),
    refusals: dependencies.refusals,
    notes: dependencies.notes,
    pulledBytes,
  }
}

function costOnTop({ bytes, mayStandAbove, isPassable }: StepOnTop): string {
  const cost = `on-top: it runs on top of the layers, so an empty builder pulls ${formatBytes(bytes)} for it`
  return mayStandAbove === undefined
    ? `${cost}; where it doesn't need the packages, put it above their install`
    : `${cost}; it doesn't touch the packages: above line ${mayStandAbove}${isPassable ? ', or with reorder: safe,' : ''} it costs nothing`
}

/** uv and poetry take settings from these; whether they have any decides what may be done with a step. */
async function readProjectFiles(source: Source): Promise<ReadonlyMap<string, string>> {
  const paths = source.files.files
    .filter((path) => posix.basename(path) === 'pyproject.toml' || posix.basename(path) === 'poetry.toml')
    .slice(0, MOST_PROJECTS)
  const texts = paths.map(async (path) => [path, await readFile(join(source.context, path), 'utf8')] as const)
  return new Map(await Promise.all(texts).catch(() => []))
}

function asWritten(
  source: Source,
  notes: readonly string[],
  steps: readonly ReportDockerfileStep[],
): PlannedDockerfile {
  const { text } = source.dockerfile
  return { text, assembly: 'as-written', assemblyReason: '', layers: [], steps, refusals: [], notes, pulledBytes: 0 }
}

function leftSteps(source: Source, { refusals }: Dependencies): readonly ReportDockerfileStep[] {
  return refusals.map(({ line, code, sentence }) => ({
    line,
    text: lineOf(source, line),
    what: 'left',
    reason: `${code}: ${sentence}`,
  }))
}

function lineOf(source: Source, line: number): string {
  return source.dockerfile.text.split(/\r?\n/)[line - 1]?.trim() ?? ''
}

/** The installer image by digest, so that a group's build depends on nothing that moves. */
async function pinInstaller(inputs: BuildInputs, python: string, deps: Deps): Promise<string> {
  const text = inputs.installerImage.replaceAll('{python}', python)
  const reference = parseReference(text)
  if (typeof reference === 'string') throw new RangeError(`installer-image: ${text} ${reference}`)
  const digest = await resolveDigest(deps.registry, reference)
  if (digest === undefined) throw new Error(`the installer image ${text} is not in its registry`)
  const { registry, path } = reference
  return formatReference(withDigest({ registry, path }, digest))
}
