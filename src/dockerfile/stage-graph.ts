import type { BuildOptions, Dockerfile, Instruction, Stage } from './dockerfile.ts'
import { failAt } from './dockerfile-error.ts'
import { nameValues, splitInstruction } from './instruction-words.ts'
import { runMounts } from './run-mounts.ts'
import { ExpansionError, expandWord } from './word-expansion.ts'

/** What a stage stands on, build arguments filled in. */
export type StageBase =
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'scratch' }

export interface ResolvedStage {
  readonly stage: Stage
  readonly base: StageBase
  /** The `--platform` flag, build arguments filled in. */
  readonly platform: string | undefined
}

/** The stages of a build and which of them the target needs. */
export interface StageGraph {
  readonly dockerfile: Dockerfile
  readonly stages: readonly ResolvedStage[]
  readonly target: number
  /** In the order of the file. */
  readonly reachable: readonly number[]
  /** ARGs above the first FROM and those that BuildKit provides, with their values for this build. */
  readonly globalArgs: Readonly<Record<string, string>>
  readonly buildArgs: Readonly<Record<string, string>>
}

/** An image that a build takes from outside. */
export interface ExternalImage {
  /** As FROM or `--from` names it, build arguments filled in. */
  readonly reference: string
  /** Value of FROM's `--platform`. */
  readonly platform: string | undefined
  /** Where it is named first. */
  readonly line: number
}

/**
 * Fills in build arguments, finds each stage's base and follows FROM, `COPY --from` and `RUN --mount=from=` from the
 * target.
 * @throws ImageCacheError E_DOCKERFILE on a target that isn't there, a base that comes out empty, a bad `${…}`.
 */
export function resolveStages(dockerfile: Dockerfile, options: BuildOptions): StageGraph {
  const buildArgs = options.buildArgs ?? {}
  const globalArgs = resolveGlobalArgs(dockerfile, options)
  const named = new Map<string, number>()
  const stages: ResolvedStage[] = []
  for (const stage of dockerfile.stages) {
    const line = stage.from.lines.first
    const fill = (text: string): string => expandAt(dockerfile, line, text, (name) => globalArgs[name])
    const reference = fill(stage.base)
    if (reference === '')
      failAt(dockerfile.fileName, line, `the base ${stage.base} comes out empty; an ARG has no value`)
    const index = named.get(reference)
    const base: StageBase =
      index !== undefined
        ? { kind: 'stage', index }
        : reference === 'scratch'
          ? { kind: 'scratch' }
          : { kind: 'image', reference }
    stages.push({ stage, base, platform: stage.platform === undefined ? undefined : fill(stage.platform) })
    if (stage.name !== undefined) named.set(stage.name, stage.index)
  }
  const target = options.target === undefined ? stages.length - 1 : named.get(options.target.toLowerCase())
  if (target === undefined) {
    failAt(
      dockerfile.fileName,
      dockerfile.stages.at(-1)?.from.lines.first ?? 1,
      `there is no stage ${JSON.stringify(options.target)}`,
    )
  }
  return { dockerfile, stages, target, reachable: reachableFrom(target, stages), globalArgs, buildArgs }
}

/** The stages that these instructions take files from, and all that those need in turn. */
export function stagesNeededBy(
  { stages }: Pick<StageGraph, 'stages'>,
  instructions: readonly Instruction[],
): ReadonlySet<number> {
  const reached = new Set<number>()
  visitSources(instructions, stages, reached)
  return reached
}

/** A stage and the stages of the file that it stands on, lowest first. */
export function stageChain({ stages }: Pick<StageGraph, 'stages'>, index: number): readonly number[] {
  const base = stages[index]?.base
  return base?.kind === 'stage' ? [...stageChain({ stages }, base.index), index] : [index]
}

/** Every image from outside that the target needs, each once for each platform. */
export function externalImages(dockerfile: Dockerfile, options: BuildOptions): readonly ExternalImage[] {
  const { stages, reachable } = resolveStages(dockerfile, options)
  const names = new Set(dockerfile.stages.flatMap(({ name }) => name ?? []))
  const images = new Map<string, ExternalImage>()
  const add = (image: ExternalImage): void => {
    const key = `${image.reference} ${image.platform ?? ''}`
    if (!images.has(key)) images.set(key, image)
  }
  for (const index of reachable) {
    const resolved = stages[index]
    if (resolved === undefined) continue
    const { stage, base, platform } = resolved
    if (base.kind === 'image') add({ reference: base.reference, platform, line: stage.from.lines.first })
    for (const instruction of stage.instructions) {
      for (const { text, numbered } of sourcesOf(instruction)) {
        const isStage = names.has(text.toLowerCase()) || (numbered && /^\+?\d+$/.test(text))
        if (!isStage && text !== 'scratch') add({ reference: text, platform: undefined, line: instruction.lines.first })
      }
    }
  }
  return [...images.values()]
}

/**
 * Fills in variables of one instruction.
 * @throws ImageCacheError E_DOCKERFILE with the line.
 */
export function expandAt(
  { fileName, escapeChar }: Dockerfile,
  line: number,
  text: string,
  lookup: (name: string) => string | undefined,
): string {
  try {
    return expandWord(text, { escapeChar, lookup })
  } catch (error) {
    if (error instanceof ExpansionError) failAt(fileName, line, `${text}: ${error.message}`, error)
    throw error
  }
}

function resolveGlobalArgs(dockerfile: Dockerfile, options: BuildOptions): Readonly<Record<string, string>> {
  const buildArgs = options.buildArgs ?? {}
  const values: Record<string, string> = {}
  for (const [name, value] of Object.entries(providedArgs(options))) values[name] = buildArgs[name] ?? value
  for (const { rest, lines } of dockerfile.globalArgs) {
    const pairs = nameValues('ARG', rest, dockerfile.escapeChar)
    for (const pair of typeof pairs === 'string' ? [] : pairs) {
      const given = buildArgs[pair.name]
      if (given !== undefined) values[pair.name] = given
      else if (pair.value !== undefined) {
        values[pair.name] = expandAt(dockerfile, lines.first, pair.value, (name) => values[name])
      }
    }
  }
  return values
}

/** Arguments that BuildKit sets itself (Dockerfile reference, "Automatic platform ARGs"). */
function providedArgs({
  platform = 'linux/amd64',
  target = 'default',
}: BuildOptions): Readonly<Record<string, string>> {
  const [os = '', architecture = '', variant = ''] = platform.split('/')
  const build = { BUILDPLATFORM: platform, BUILDOS: os, BUILDARCH: architecture, BUILDVARIANT: variant }
  const made = { TARGETPLATFORM: platform, TARGETOS: os, TARGETARCH: architecture, TARGETVARIANT: variant }
  return { ...build, ...made, TARGETSTAGE: target }
}

/** Names in `--from` flags and mounts, also those of triggers. A number is a stage only in COPY. */
function sourcesOf(instruction: Instruction): readonly { readonly text: string; readonly numbered: boolean }[] {
  if (instruction.keyword === 'ONBUILD') {
    const inner = splitInstruction(instruction.rest, '\\')
    return inner.keyword.toUpperCase() === 'ONBUILD'
      ? []
      : sourcesOf({ ...instruction, ...inner, keyword: inner.keyword.toUpperCase() })
  }
  if (instruction.keyword === 'COPY') {
    const from = instruction.flags.find(({ name }) => name === 'from')?.value
    return from === undefined || from === '' ? [] : [{ text: from, numbered: true }]
  }
  if (instruction.keyword !== 'RUN') return []
  return runMounts(instruction).flatMap(({ from }) => (from === undefined ? [] : [{ text: from, numbered: false }]))
}

function reachableFrom(target: number, stages: readonly ResolvedStage[]): readonly number[] {
  const reached = new Set<number>()
  visitStage(target, stages, reached)
  return [...reached].sort((a, b) => a - b)
}

function visitStage(index: number, stages: readonly ResolvedStage[], reached: Set<number>): void {
  const resolved = stages[index]
  if (resolved === undefined || reached.has(index)) return
  reached.add(index)
  if (resolved.base.kind === 'stage') visitStage(resolved.base.index, stages, reached)
  visitSources(resolved.stage.instructions, stages, reached)
}

function visitSources(
  instructions: readonly Instruction[],
  stages: readonly ResolvedStage[],
  reached: Set<number>,
): void {
  for (const { text, numbered } of instructions.flatMap(sourcesOf)) {
    const byName = stages.findLast(({ stage }) => stage.name === text.toLowerCase())
    if (numbered && /^\+?\d+$/.test(text)) visitStage(Number(text), stages, reached)
    else if (byName !== undefined) visitStage(byName.stage.index, stages, reached)
  }
}
