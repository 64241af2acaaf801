import { posix } from 'node:path'
import { decidedRun } from './decided-run.ts'
import type { BaseImage, BuildView, Instruction } from './dockerfile.ts'
import { type NameValue, nameValues } from './instruction-words.ts'
import { expandAt, type StageBase, type StageGraph } from './stage-graph.ts'

/** What an instruction finds when its turn comes. */
export interface StageState {
  /** ENV and ARG alike: a RUN sees both. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute. */
  readonly workingDir: string
  /** Empty: root. */
  readonly user: string
  /** Undefined: `/bin/sh -c`. */
  readonly shell: readonly string[] | undefined
  /** ARGs that were declared and have no value. */
  readonly unset: ReadonlySet<string>
  /** Python of the base image, as exactly as it tells it: `3.12.4`, `3.12`. */
  readonly pythonVersion: string | undefined
}

export interface StageStep {
  /** A RUN without conditions that are decided beforehand. */
  readonly instruction: Instruction
  /** The stage it stands in: the walked one or one below it. */
  readonly stage: number
  readonly before: StageState
}

/** A stage as it is built, with the stages that it stands on. */
export interface StageWalk {
  /** Lowest stage first. */
  readonly steps: readonly StageStep[]
  /** The image at the bottom; undefined for scratch. */
  readonly root: BaseImage | undefined
  /** Its reference, build arguments filled in; undefined for scratch. */
  readonly rootReference: string | undefined
}

/**
 * Follows environment, working directory, user and shell through a stage, starting at the image at its bottom: a stage
 * takes over everything from the stage below, ARGs included.
 * @throws ImageCacheError E_DOCKERFILE where a variable can't be filled in.
 */
export function walkStage(graph: StageGraph, index: number, view: Pick<BuildView, 'baseImage'>): StageWalk {
  const chain: number[] = []
  let rootReference: string | undefined
  for (let at: number | undefined = index; at !== undefined; ) {
    chain.unshift(at)
    const base: StageBase | undefined = graph.stages[at]?.base
    if (base?.kind === 'image') rootReference = base.reference
    at = base?.kind === 'stage' ? base.index : undefined
  }
  const root = rootReference === undefined ? undefined : view.baseImage(rootReference)
  const steps: StageStep[] = []
  let state: StageState = {
    env: root?.env ?? {},
    workingDir: posix.resolve('/', root?.workingDir ?? ''),
    user: root?.user ?? '',
    shell: root?.shell?.length ? root.shell : undefined,
    unset: new Set(),
    pythonVersion: pythonVersionOf(root),
  }
  for (const stage of chain) {
    for (const written of graph.stages[stage]?.stage.instructions ?? []) {
      const instruction = written.keyword === 'RUN' ? decidedRun(written, state) : written
      steps.push({ instruction, stage, before: state })
      state = after(instruction, state, graph)
    }
  }
  return { steps, root, rootReference }
}

/** The version of a base image's Python, as exactly as it tells it: `3.12.4`, `3.12`. */
export function pythonVersionOf(root: BaseImage | undefined): string | undefined {
  return root?.env.PYTHON_VERSION || root?.python
}

/** Fills in the variables of an argument of COPY, WORKDIR and their like. */
export function expandIn(graph: StageGraph, step: Pick<StageStep, 'instruction' | 'before'>, text: string): string {
  return expandAt(graph.dockerfile, step.instruction.lines.first, text, (name) => step.before.env[name])
}

function after(instruction: Instruction, before: StageState, graph: StageGraph): StageState {
  const { keyword, rest, json } = instruction
  const fill = (text: string): string => expandIn(graph, { instruction, before }, text)
  if (keyword === 'ENV') {
    const pairs = nameValues('ENV', rest, graph.dockerfile.escapeChar)
    if (typeof pairs === 'string') return before
    const added = pairs.map(({ name, value = '' }) => [fill(name), fill(value)] as const)
    return { ...before, env: { ...before.env, ...Object.fromEntries(added) } }
  }
  if (keyword === 'ARG') return withArgs(instruction, before, graph)
  if (keyword === 'WORKDIR') return { ...before, workingDir: posix.resolve(before.workingDir, fill(rest)) }
  if (keyword === 'USER') return { ...before, user: fill(rest) }
  if (keyword === 'SHELL') return { ...before, shell: json }
  return before
}

/**
 * The arguments that an ARG declares, each with its value for this build: a build argument wins over the default, the
 * default over an ARG of the same name above the first FROM.
 */
export function argValues(
  { instruction, before }: Pick<StageStep, 'instruction' | 'before'>,
  graph: StageGraph,
): readonly NameValue[] {
  const pairs = nameValues('ARG', instruction.rest, graph.dockerfile.escapeChar)
  const values: NameValue[] = []
  let env = before.env
  for (const { name, value } of typeof pairs === 'string' ? [] : pairs) {
    const given = graph.buildArgs[name]
    const filled =
      value === undefined ? graph.globalArgs[name] : expandIn(graph, { instruction, before: { ...before, env } }, value)
    const result = given ?? filled
    if (result !== undefined) env = { ...env, [name]: result }
    values.push({ name, value: result })
  }
  return values
}

function withArgs(instruction: Instruction, before: StageState, graph: StageGraph): StageState {
  const values = argValues({ instruction, before }, graph)
  const set = values.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]))
  // Proxies come from the client's own settings, and a base image that tells no PATH is one that tells nothing.
  const isKnown = before.env.PATH !== undefined
  const isUnset = ({ name, value }: NameValue): boolean => isKnown && value === undefined && !/_proxy$/i.test(name)
  const unset = values.filter(isUnset).map(({ name }) => name)
  return {
    ...before,
    env: { ...before.env, ...Object.fromEntries(set) },
    unset: new Set([...before.unset, ...unset]),
  }
}
