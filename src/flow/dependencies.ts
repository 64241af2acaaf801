import type { StageLayers } from '../dockerfile/dependency-stage.ts'
import type { InstallStep, Refusal } from '../dockerfile/dockerfile.ts'
import { findInstalls, isInstallStep } from '../dockerfile/find-installs.ts'
import { hasMachine } from '../dockerfile/target-machine.ts'
import { type BasePython, basePython } from '../image/base-python.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { ChangeHistory } from '../layers/change-history.ts'
import { HEAVY_PACKAGES } from '../layers/heavy-packages.ts'
import { planLayers } from '../layers/layer-plan.ts'
import type { PreviousPlan } from '../layers/previous-plan.ts'
import { libcRange } from '../python/libc-range.ts'
import type { ResolvedPackage } from '../python/resolution.ts'
import { rivals } from '../python/rivals.ts'
import type { BaseImages } from './base-images.ts'
import { lockPlatforms, type PlatformView } from './lock-platforms.ts'
import type { LockTools } from './lock-question.ts'
import type { StageLock } from './locked-stage.ts'
import { projectFacts } from './project-facts.ts'
import type { Source } from './source.ts'
import { stepsTogether, wants, whoStays, withoutToolsElsewhere } from './steps-together.ts'

/** What becomes of the install steps of a Dockerfile. */
export interface Dependencies {
  readonly layers: readonly StageLayers[]
  /** Steps that stay as they are, with the reason. */
  readonly refusals: readonly Refusal[]
  /** Where the resolution came from and how long it took, one sentence each. */
  readonly notes: readonly string[]
}

export interface DependencyTools extends LockTools {
  readonly images: BaseImages
  /** The build's platforms besides the one of `view`. */
  readonly others: readonly PlatformView[]
  /** The plan of a stage in the last build of this image. */
  readonly recallPlan: (stage: number) => Promise<PreviousPlan | undefined>
  /** What earlier versions of these files tell of changes; asked only where no plan is remembered. */
  readonly historyOf: (files: readonly string[], names: readonly string[]) => Promise<ChangeHistory>
}

/** Below this, layers before a step that stays save less than they cost. */
const SMALLEST_SEED_BYTES = 5e6

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
  const unlike = unlikePlatform(source, tools, found)
  if (unlike !== undefined) {
    const refused = steps.map(({ lines }): Refusal => ({ code: 'platform', sentence: unlike, line: lines.first }))
    return { layers: [], refusals: [...refusals, ...refused], notes: [] }
  }
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

/** Layers for several platforms come from the same steps; why that can't be, one sentence. */
function unlikePlatform(
  { dockerfile }: Source,
  { view, others }: DependencyTools,
  found: ReturnType<typeof findInstalls>,
): string | undefined {
  if (others.length === 0) return undefined
  const unknown = [view.platform ?? '', ...others.map(({ platform }) => platform)].find((one) => !hasMachine(one))
  if (unknown !== undefined) return `layers of several platforms at once are not made for ${unknown}`
  const other = others.find((one) => JSON.stringify(findInstalls(dockerfile, one.view)) !== JSON.stringify(found))
  return other && `the install steps are not the same on ${other.platform}`
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
  found: readonly InstallStep[],
  inputs: BuildInputs,
  source: Source,
  tools: DependencyTools,
): Promise<PlannedStage> {
  const refuse = (code: Refusal['code'], sentence: string): PlannedStage => ({
    kind: 'refused',
    refusals: found.map(({ lines }) => ({ code, sentence, line: lines.first })),
  })
  const { steps: all, elsewhere } = withoutToolsElsewhere(found)
  const [first] = all
  if (first === undefined) return { kind: 'refused', refusals: elsewhere }
  const python = pythonOf(first, inputs, tools)
  if (python.kind === 'unknown') return refuse('python-unknown', python.reason)
  const other = tools.others.find(({ images }) => !isSamePython(python, pythonOf(first, inputs, { images })))
  if (other !== undefined) return refuse('platform', `the Python of the base image is another one on ${other.platform}`)

  const { together, later } = stepsTogether(all)
  const lock = await lockPlatforms({ steps: together, python, inputs, source, tools }, tools.others)
  if (lock.kind === 'refused') return refuse(lock.code, lock.sentence)
  const { steps, way, staying } = whoStays(together, lock.unbuilt)
  // As pip does: what the base image has in the right version isn't installed again.
  const packages = placed(lock, steps, way).filter(({ name, version }) => python.shipped.get(name) !== version)
  const shipped = packages.find(({ name }) => python.shipped.has(name))
  if (shipped !== undefined)
    return refuse('stage-base', `${shipped.name} is there already, another version on top would mix the two`)

  const names = packages.map(({ name }) => name)
  const pair = rivals(names, lock.shared)
  if (pair !== undefined)
    return refuse(
      'environment',
      `${pair.packages.join(' and ')} both bring ${pair.what}: the last one installed has it`,
    )

  const refusals: Refusal[] = [...elsewhere, ...staying, ...later]
  if (way === 'seed') {
    const size = packages.reduce((sum, { wheel }) => sum + (wheel.size ?? 0), 0)
    const reason = first.stays ?? {
      code: 'not-only-wheels' as const,
      sentence: lock.unbuilt.find((entry) => wants(first, entry))?.reason ?? 'the step builds packages',
    }
    const isBegun = first.makes === undefined || (first.makes.isAlone && first.stays === undefined)
    if (size < SMALLEST_SEED_BYTES || !isBegun) return refuse(reason.code, reason.sentence)
    const sentence = `${reason.sentence}; the wheels stand in layers before it`
    refusals.unshift(...steps.map(({ lines }) => ({ code: reason.code, sentence, line: lines.first })))
  }
  const previous = await tools.recallPlan(first.stage)
  const history = previous === undefined ? await tools.historyOf(lock.files, names) : undefined
  const compiled = compiledAlone(lock, packages, steps)
  if (compiled !== undefined && inputs.maxLayers < inputs.layers.length + 2)
    return refuse(
      'environment',
      'what pip installs before the lock needs a layer of its own, and max-layers leaves none',
    )
  const plan = planLayers(packages, {
    maxLayers: inputs.maxLayers,
    maxLayerSize: inputs.maxLayerSize,
    pins: [...(compiled === undefined ? [] : [compiled]), ...inputs.layers],
    heavyPackages: [...HEAVY_PACKAGES, ...inputs.heavyPackages],
    previous,
    history,
  })
  const shared = await stageLayers(steps, python, lock, source, tools)
  // uv compiles all that is there, whoever brought it.
  const bytecode = shared.bytecode && !(way === 'seed' && first.installer === 'uv')
  const layers = { ...shared, bytecode, compiled, plan, way }
  const note = `${plan.groups.length} layers of ${lock.note}`
  return { kind: 'planned', layers, note, refusals }
}

/** What layers hold: where the tool that reads the lock runs on top of them, its own packages in the versions it came with. */
function placed(
  { packages, below = [] }: StageLock,
  steps: readonly InstallStep[],
  way: 'rewrite' | 'seed',
): readonly ResolvedPackage[] {
  if (way === 'rewrite' && steps.some(({ project }) => project !== undefined)) return packages
  const own = new Map(below.map((entry) => [entry.name, entry]))
  return packages.map((entry) => own.get(entry.name) ?? entry)
}

/** Names of the packages with bytecode, where only what pip installs has it and what a tool puts beside it doesn't. */
function compiledAlone(
  { below }: StageLock,
  packages: readonly ResolvedPackage[],
  steps: readonly InstallStep[],
): readonly string[] | undefined {
  const project = steps.find((step) => step.project !== undefined)?.project
  if (below === undefined || project?.tool === 'uv' || project?.bytecode === true) return undefined
  const versions = new Map(below.map(({ name, version }) => [name, version]))
  return packages.flatMap(({ name, version }) => (versions.get(name) === version ? [name] : []))
}

async function stageLayers(
  steps: readonly InstallStep[],
  python: BasePython,
  { settings, installerImage }: StageLock,
  source: Source,
  { view, others }: DependencyTools,
): Promise<Omit<StageLayers, 'plan' | 'way'>> {
  const [first] = steps
  if (first === undefined) throw new RangeError('no step')
  const { kind, folder, python: program, makesEnvironment, owner } = first.target
  const prefix = folder ?? python.prefix
  const isAbsolute = program?.startsWith('/') === true
  const named = program === undefined ? python.interpreter : `${python.prefix}/bin/${program}`
  const environment = kind === 'venv' ? prefix : undefined
  const makes = makesEnvironment && first.project?.tool === 'uv'
  const facts = makes ? await projectFacts(first, source) : undefined
  return {
    stage: first.stage,
    steps,
    layout: kind === 'folder' ? 'flat' : 'tree',
    owner,
    environment,
    skeleton: facts && {
      projectFolder: first.project?.folder ?? '/',
      projectName: facts.name,
      requiresPython: facts.requiresPython,
      pythonFullVersion: python.fullVersion ?? '',
    },
    pythonVersion: python.version,
    prefix,
    interpreter: isAbsolute ? (program ?? named) : named,
    installerImage,
    platform: view.platform ?? 'linux/amd64',
    libc: libcRange(python.libc).atLeast,
    ...(others.length === 0 ? {} : { morePlatforms: others.map(({ platform }) => platform) }),
    settings,
    bytecode: steps.some((step) => step.bytecode),
  }
}

/** The Python that the packages are for, with what lies beside them. */
function pythonOf(
  step: InstallStep,
  inputs: BuildInputs,
  { images }: Pick<DependencyTools, 'images'>,
): ReturnType<typeof basePython> {
  const root = images.rootOf(step.stage)
  if (root === undefined) return { kind: 'unknown', reason: 'the configuration of the base image is not known' }
  const { kind, shipped } = step.target
  const python = basePython(root, inputs.pythonVersion, kind === 'venv' || kind === 'folder')
  if (python.kind === 'known' && python.fullVersion === undefined && step.target.makesEnvironment)
    return { kind: 'unknown', reason: 'uv notes the exact version of Python in the environment, which is not known' }
  if (python.kind === 'unknown' || kind === 'system' || kind === 'prefix') return python
  // From Python 3.12 on, environments come with pip alone.
  const names = Number(python.version.slice(2)) >= 12 ? shipped.filter((name) => name === 'pip') : shipped
  return { ...python, shipped: new Map(names.map((name) => [name, undefined])) }
}

function isSamePython(a: BasePython, b: ReturnType<typeof basePython>): boolean {
  const facts = ({ shipped, ...python }: BasePython): string => JSON.stringify([python, [...shipped]])
  return b.kind !== 'unknown' && facts(a) === facts(b)
}
