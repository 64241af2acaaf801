import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { messageOf } from '../base/errors.ts'
import type { StageLayers } from '../dockerfile/dependency-stage.ts'
import type { BuildView, InstallStep, Refusal } from '../dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../dockerfile/find-installs.ts'
import { locateInContext } from '../dockerfile/locate-in-context.ts'
import { type BasePython, basePython } from '../image/base-python.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { ChangeHistory } from '../layers/change-history.ts'
import { HEAVY_PACKAGES } from '../layers/heavy-packages.ts'
import type { LayerPlan } from '../layers/layer-plan.ts'
import { planLayers } from '../layers/layer-plan.ts'
import type { PreviousPlan } from '../layers/previous-plan.ts'
import { type CollectedRequirements, mergeSettings, readRequirements } from '../python/read-requirements.ts'
import { type RequirementLine, readRequirement } from '../python/requirement-line.ts'
import { type ResolveRequest, type ResolveResult, type RunInstaller, resolve } from '../python/resolve.ts'
import type { Store } from '../stores/store.ts'
import type { BaseImages } from './base-images.ts'
import type { Source } from './source.ts'

/** What becomes of the install steps of a Dockerfile. */
export interface Dependencies {
  readonly layers: readonly StageLayers[]
  /** Steps that stay as they are, with the reason. */
  readonly refusals: readonly Refusal[]
  /** Where the resolution came from and how long it took, one sentence each. */
  readonly notes: readonly string[]
}

export interface DependencyTools {
  readonly view: BuildView
  readonly images: BaseImages
  /** Reference with digest of the installer image for a Python version. */
  readonly installerFor: (pythonVersion: string) => Promise<string>
  readonly runInstaller: RunInstaller
  readonly store: Store
  /** The plan of a stage in the last build of this image. */
  readonly recallPlan: (stage: number) => Promise<PreviousPlan | undefined>
  /** What earlier versions of these files tell of changes; asked only where no plan is remembered. */
  readonly historyOf: (files: readonly string[], names: readonly string[]) => Promise<ChangeHistory>
}

/**
 * Decides which packages go into which layers: reads what the install steps ask for, resolves it once for each stage,
 * and spreads the packages. Nothing here fails a build: a step that can't be understood or resolved stays as it is.
 */
export async function planDependencies(
  inputs: BuildInputs,
  source: Source,
  tools: DependencyTools,
): Promise<Dependencies> {
  if (!inputs.optimizeLayers) return { layers: [], refusals: [], notes: ['optimize-layers is off'] }
  const found = findInstalls(source.dockerfile, tools.view)
  const steps = found.filter(isInstallStep)
  const refusals = found.flatMap((answer): Refusal[] => (isInstallStep(answer) ? [] : [answer]))
  const layers: StageLayers[] = []
  const notes: string[] = []
  for (const stage of [...new Set(steps.map((step) => step.stage))]) {
    const planned = await planStage(
      steps.filter((step) => step.stage === stage),
      inputs,
      source,
      tools,
    )
    if (planned.kind === 'refused') refusals.push(...planned.refusals)
    else {
      layers.push(planned.layers)
      notes.push(planned.note)
      refusals.push(...planned.refusals)
    }
  }
  return { layers, refusals, notes }
}

type PlannedStage =
  | {
      readonly kind: 'planned'
      readonly layers: StageLayers
      readonly note: string
      readonly refusals: readonly Refusal[]
    }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] }

async function planStage(
  all: readonly InstallStep[],
  inputs: BuildInputs,
  source: Source,
  tools: DependencyTools,
): Promise<PlannedStage> {
  const refuse = (code: Refusal['code'], sentence: string): PlannedStage => ({
    kind: 'refused',
    refusals: all.map(({ lines }) => ({ code, sentence, line: lines.first })),
  })
  if (inputs.platforms.length > 1) return refuse('platform', 'the build is for several platforms at once')
  const [first] = all
  if (first === undefined) return refuse('environment', 'there is no step')
  const python = pythonOf(first.stage, inputs, tools)
  if (python.kind === 'unknown') return refuse('python-unknown', python.reason)

  // A step with other settings must see what the steps before it installed, so it and all after it stay.
  const cut = all.findIndex(
    (step) => JSON.stringify([step.settings, step.installer]) !== JSON.stringify([first.settings, first.installer]),
  )
  const steps = cut < 0 ? all : all.slice(0, cut)
  const later = cut < 0 ? [] : all.slice(cut).map(otherSettings)

  const wanted = await readSteps(steps, source, tools.view)
  const [obstacle] = wanted.obstacles
  if (obstacle !== undefined)
    return refuse(obstacle.code, obstacle.file === '' ? obstacle.sentence : `${obstacle.file}: ${obstacle.sentence}`)
  const settings = mergeSettings(first.settings, wanted.settings)
  const installerImage = await tools
    .installerFor(python.version)
    .catch((error: unknown) => ({ reason: messageOf(error) }))
  if (typeof installerImage !== 'string') return refuse('resolution-failed', installerImage.reason)
  const request: ResolveRequest = {
    image: installerImage,
    pythonVersion: python.version,
    platform: tools.view.platform ?? 'linux/amd64',
    requirements: wanted.requirements,
    constraints: [...wanted.constraints, ...shippedConstraints(python)],
    onlyBinary: wanted.onlyBinary,
    settings,
    installer: first.installer,
    salt: inputs.salt,
    relock: inputs.relock || inputs.noCache,
  }
  const resolved = await resolve(request, tools.runInstaller, tools.store)
  if (resolved.kind === 'failed') return refuse('resolution-failed', resolved.reason)
  const { packages: locked, platform } = resolved.resolution
  // As pip does: what the base image has in the right version isn't installed again.
  const packages = locked.filter(({ name, version }) => python.shipped.get(name) !== version)
  const shipped = packages.find(({ name }) => python.shipped.has(name))
  if (shipped !== undefined)
    return refuse(
      'stage-base',
      `${shipped.name} is in the base image already, another version on top would mix the two`,
    )

  const previous = await tools.recallPlan(first.stage)
  const names = packages.map(({ name }) => name)
  const history = previous === undefined ? await tools.historyOf(wanted.files, names) : undefined
  const plan = planLayers(packages, {
    maxLayers: inputs.maxLayers,
    maxLayerSize: inputs.maxLayerSize,
    pins: inputs.layers,
    heavyPackages: [...HEAVY_PACKAGES, ...inputs.heavyPackages],
    previous,
    history,
  })
  const layers = stageLayers(steps, plan, python, { installerImage, platform, settings })
  return { kind: 'planned', layers, note: noteOf(resolved, plan), refusals: later }
}

function stageLayers(
  steps: readonly InstallStep[],
  plan: LayerPlan,
  python: BasePython,
  where: Pick<StageLayers, 'installerImage' | 'platform' | 'settings'>,
): StageLayers {
  return {
    ...where,
    stage: steps[0]?.stage ?? 0,
    steps,
    plan,
    pythonVersion: python.version,
    prefix: python.prefix,
    interpreter: python.interpreter,
    bytecode: steps.some((step) => step.bytecode),
  }
}

function pythonOf(stage: number, inputs: BuildInputs, tools: DependencyTools): ReturnType<typeof basePython> {
  const root = tools.images.rootOf(stage)
  if (root === undefined) return { kind: 'unknown', reason: 'the configuration of the base image is not known' }
  return basePython(root, inputs.pythonVersion)
}

async function readSteps(
  steps: readonly InstallStep[],
  source: Source,
  view: BuildView,
): Promise<CollectedRequirements & { readonly files: readonly string[] }> {
  const files = new Set<string>()
  const paths = (files: readonly { readonly imagePath: string }[]): readonly string[] =>
    files.map(({ imagePath }) => imagePath)
  const [first] = steps
  const collected = await readRequirements(
    {
      requirements: steps.flatMap((step) => paths(step.requirementFiles)),
      constraints: steps.flatMap((step) => paths(step.constraintFiles)),
    },
    async (imagePath) => {
      const step =
        steps.findLast((candidate) => locateInContext(source.dockerfile, candidate, imagePath, view) !== undefined) ??
        first
      const path =
        step === undefined ? undefined : locateInContext(source.dockerfile, step, posix.normalize(imagePath), view)
      if (path === undefined) return undefined
      const file = join(source.context, path)
      files.add(file)
      return readFile(file, 'utf8').catch(() => undefined)
    },
  )
  const named = steps.flatMap((step) => step.packages.map((text) => ({ text, line: step.lines.first })))
  return { ...named.reduce(addNamed, collected), files: [...files] }
}

function addNamed(
  collected: CollectedRequirements,
  { text, line }: { text: string; line: number },
): CollectedRequirements {
  const read = readRequirement(text)
  if ('sentence' in read) {
    const obstacle = { code: 'not-only-wheels', file: '', line, sentence: read.sentence } as const
    return { ...collected, obstacles: [...collected.obstacles, obstacle] }
  }
  const requirement: RequirementLine = { file: '', line: 0, hashes: [], ...read }
  return { ...collected, requirements: [...collected.requirements, requirement] }
}

/** Versions that the base image ships hold for the lock, too; pip would keep them where they will do. */
function shippedConstraints({ shipped }: BasePython): readonly RequirementLine[] {
  return [...shipped].flatMap(([name, version]) =>
    version === undefined ? [] : [{ file: '', line: 0, name, text: `${name}==${version}`, hashes: [] }],
  )
}

function otherSettings(step: InstallStep): Refusal {
  return {
    code: 'environment',
    sentence: 'an install before it in this stage has other settings (index, pre-releases or installer)',
    line: step.lines.first,
  }
}

function noteOf(resolved: Extract<ResolveResult, { kind: 'resolved' }>, plan: LayerPlan): string {
  const how = resolved.source === 'remembered' ? 'remembered' : 'asked of the index'
  const trouble = resolved.storeTrouble === undefined ? '' : `; not kept: ${resolved.storeTrouble}`
  const count = resolved.resolution.packages.length
  return `${count} packages in ${plan.groups.length} layers, versions ${how} in ${resolved.seconds.toFixed(1)} s${trouble}`
}
