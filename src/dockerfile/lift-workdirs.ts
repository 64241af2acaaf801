import { posix } from 'node:path'
import { placeObstacle } from './base-places.ts'
import { isWithin, readCopyStep } from './copy-step.ts'
import type { BaseImage, BuildView, Dockerfile, Instruction } from './dockerfile.ts'
import { oldSyntax } from './dockerfile-syntax.ts'
import { isSwitchedOff } from './install-text.ts'
import { plainWords } from './instruction-words.ts'
import { type CopyLink, isLinked } from './link-copies.ts'
import { originOf } from './locate-in-context.ts'
import { isRoot } from './root-user.ts'
import { type HistoryStep, type RewrittenSteps, stageConfig } from './stage-config.ts'
import { resolveStages, type StageGraph, stageChain } from './stage-graph.ts'
import { expandIn, type StageStep, walkStage } from './stage-steps.ts'
import type { TextEdit } from './text-edit.ts'

/** What must be known to say beforehand which configuration the image gets. */
export interface LiftOptions {
  /** Configuration of the image at the bottom of the target stage, as parsed JSON. */
  readonly baseConfig: unknown
  /** Labels of the command line. */
  readonly labels: ReadonlyMap<string, string>
}

/** What becomes of the target's other steps. */
export interface BuiltSteps {
  /** History of the layers that take an install's place, by its first line. */
  readonly installs: ReadonlyMap<number, readonly HistoryStep[]>
  /** First lines of COPY steps that were made `--link`. */
  readonly linkedCopies: ReadonlySet<number>
}

export interface LiftedWorkdirs {
  /** A word on every WORKDIR of the target. */
  readonly links: readonly CopyLink[]
  /** Texts of stages that make the folders, to stand above the first FROM. Empty when nothing is lifted, as are the edits. */
  readonly stages: readonly string[]
  /** To be applied before other edits at the same place. */
  readonly edits: readonly TextEdit[]
  /** Configuration that the exporter must give the image; undefined when nothing is lifted. */
  readonly config: string | undefined
}

/**
 * Takes WORKDIR out of the target stage and those below it, where that is all that needs the base image's files: BuildKit
 * makes its folder on top of the unpacked base. The folders come from a stage of their own instead, destinations of COPY
 * become absolute, and the working directory is set by the configuration that the exporter is given.
 */
export function liftWorkdirs(
  dockerfile: Dockerfile,
  built: BuiltSteps,
  view: BuildView,
  { baseConfig, labels }: LiftOptions,
): LiftedWorkdirs {
  const graph = resolveStages(dockerfile, view)
  const { steps, root } = walkStage(graph, graph.target, view)
  const folders = steps.flatMap((step) => liftedFolder(step, graph) ?? [])
  if (folders.length === 0) return { links: [], stages: [], edits: [], config: undefined }
  const all = (linked: boolean, reason: string): readonly CopyLink[] =>
    folders.map(({ step }) => ({ line: step.instruction.lines.first, linked, reason }))
  const left = (reason: string): LiftedWorkdirs => ({
    links: all(false, reason),
    stages: [],
    edits: [],
    config: undefined,
  })

  const obstacle = fileObstacle(graph) ?? firstObstacle(steps, built, graph, view, root)
  if (obstacle !== undefined) return left(obstacle)
  const placed = stageChain(graph, graph.target).flatMap((stage) => {
    const own = folders.filter(({ step }) => step.stage === stage)
    return own.length === 0 ? [] : [placeFolders(stage, own, steps, dockerfile)]
  })
  const history = withFolders(built.installs, folders, placed)
  const config = stageConfig(dockerfile, view, baseConfig, labels, history)
  if (config.kind === 'unknown') return left(`the image's configuration can't be told beforehand: ${config.reason}`)
  if (new TextEncoder().encode(config.json).length > LONGEST_CONFIG) {
    return left("the image's configuration is too long for an argument of the builder")
  }
  return {
    links: all(true, 'the folder is a layer of its own, so the base image is not needed'),
    stages: placed.map(({ text }) => text),
    edits: [...placed.flatMap(({ edits }) => edits), ...absoluteCopies(steps, graph)],
    config: config.json,
  }
}

/** Linux takes 128 KiB for one argument, and every quote is doubled in it. */
const LONGEST_CONFIG = 60_000

/** The folder of a WORKDIR. */
export interface Folder {
  readonly step: StageStep
  /** Absolute, clean. */
  readonly path: string
}

/** BuildKit makes no folder for `WORKDIR /`. */
export function liftedFolder(step: StageStep, graph: StageGraph): Folder | undefined {
  if (step.instruction.keyword !== 'WORKDIR') return undefined
  const path = posix.resolve(step.before.workingDir, expandIn(graph, step, step.instruction.rest))
  return path === '/' ? undefined : { step, path }
}

function fileObstacle(graph: StageGraph): string | undefined {
  const old = oldSyntax(graph.dockerfile.directives)
  if (old !== undefined) return old.sentence
  const chain = stageChain(graph, graph.target)
  const other = graph.reachable.find((index) => {
    const base = graph.stages[index]?.base
    return base?.kind === 'stage' && chain.includes(base.index) && !chain.includes(index)
  })
  const line = other === undefined ? undefined : graph.dockerfile.stages[other]?.from.lines.first
  return line === undefined
    ? undefined
    : `the stage in line ${line} stands on the same stage and needs its working directory`
}

function firstObstacle(
  steps: readonly StageStep[],
  built: BuiltSteps,
  graph: StageGraph,
  view: BuildView,
  root: BaseImage | undefined,
): string | undefined {
  for (const [index, step] of steps.entries()) {
    const { instruction } = step
    const { keyword, lines } = instruction
    const needed = `the base image is needed for the ${keyword} in line ${lines.first}`
    if (keyword === 'ADD' || (keyword === 'RUN' && !built.installs.has(lines.first))) return needed
    if (keyword === 'COPY') {
      if (!isLinked(instruction) && !built.linkedCopies.has(lines.first)) return needed
      if (absoluteDestination(step, graph) === 'unusual')
        return `the destination in line ${lines.first} is written in an unusual way`
    }
    const folder = liftedFolder(step, graph)
    const obstacle = folder === undefined ? undefined : folderObstacle(folder, index, steps, graph, view, root)
    if (obstacle !== undefined) return obstacle
  }
  return undefined
}

const PLAIN_PATH = /^\/[\w@%+=:,./~-]+$/

/** Why a folder can't be made without the files below it; undefined when it can. @param index its step's place in `steps` */
export function folderObstacle(
  { step, path }: Folder,
  index: number,
  steps: readonly StageStep[],
  graph: StageGraph,
  view: BuildView,
  root: BaseImage | undefined,
): string | undefined {
  const { instruction, before } = step
  if (isSwitchedOff(instruction)) return 'a comment above it says image-cache: off'
  if (!isRoot(before.user)) return `the folder belongs to the user ${before.user}`
  // BuildKit cleans relative paths only.
  const filled = expandIn(graph, step, instruction.rest)
  const isUnclean = filled.startsWith('/') && filled.split('/').includes('..')
  if (!PLAIN_PATH.test(path) || isUnclean) return `${path} is written in an unusual way`
  const place = placeObstacle(path, root)
  if (place !== undefined) return place
  // A folder that the base image has already keeps its owner and mode, whatever they are.
  const own = posix.resolve('/', steps[0]?.before.workingDir ?? '/')
  if (own !== '/' && (isWithin(path, own) || isWithin(own, path)))
    return `the base image has a folder ${own} of its own`
  const copies = steps.slice(0, index).flatMap((above) => {
    const copy = readCopyStep(above, graph)
    return copy !== undefined && copy.destination !== path && isWithin(path, copy.destination) ? [copy] : []
  })
  const opaque = copies.find((copy) => copy.from !== undefined || copy.flags.has('parents'))
  if (opaque !== undefined) return `${opaque.destination} was filled from elsewhere, so a link may lie in the way`
  const origin = copies.length === 0 ? 'none' : originOf(path, steps, index, graph, view.contextFiles).kind
  return origin === 'none' ? undefined : `${path} was copied as a file or a link`
}

interface PlacedFolders {
  readonly stage: number
  /** First line of the stage's first step that makes a layer: the folders come right below it, under everything. */
  readonly line: number
  readonly paths: readonly string[]
  readonly text: string
  readonly edits: readonly TextEdit[]
}

function placeFolders(
  stage: number,
  folders: readonly Folder[],
  steps: readonly StageStep[],
  { newline }: Dockerfile,
): PlacedFolders {
  const name = `image-cache-dirs-${stage}`
  const paths = [...new Set(folders.map(({ path }) => path))]
  const copy = `COPY --link --from=${name} / /`
  const lines = new Set(folders.map(({ step }) => step.instruction.lines.first))
  const makesLayer = ({ keyword, lines: { first } }: Instruction): boolean =>
    keyword === 'COPY' || keyword === 'RUN' || lines.has(first)
  const place = steps.find((step) => step.stage === stage && makesLayer(step.instruction))?.instruction
  if (place === undefined) throw new RangeError(`no folder in stage ${stage}`)
  const edits = folders.map(({ step: { instruction }, path }): TextEdit => {
    const comment = `# image-cache: a folder in a layer of its own: WORKDIR ${path}`
    const text = instruction === place ? `${comment}${newline}${copy}` : comment
    return { start: instruction.start, end: instruction.end, text }
  })
  const above = { start: place.start, end: place.start, text: `${copy}${newline}` }
  return {
    stage,
    line: place.lines.first,
    paths,
    text: [`FROM scratch AS ${name}`, ...paths.map((path) => `WORKDIR ${path}`), ''].join('\n'),
    edits: lines.has(place.lines.first) ? edits : [above, ...edits],
  }
}

/** One layer holds all folders of a stage, so only one of the entries may count. */
function withFolders(
  installs: ReadonlyMap<number, readonly HistoryStep[]>,
  folders: readonly Folder[],
  placed: readonly PlacedFolders[],
): RewrittenSteps {
  const history = new Map<number, readonly (HistoryStep | 'as-written' | 'without-layer')[]>(installs)
  for (const { step } of folders) history.set(step.instruction.lines.first, ['without-layer'])
  for (const { line, paths } of placed) {
    const isFolder = folders.some(({ step }) => step.instruction.lines.first === line)
    const layer = { text: `WORKDIR ${paths.join(' ')} # image-cache: folders`, layer: true }
    if (isFolder) history.delete(line)
    else history.set(line, [layer, ...(installs.get(line) ?? ['as-written' as const])])
  }
  return history
}

/** Makes relative destinations absolute that stand behind a WORKDIR that is gone. */
function absoluteCopies(steps: readonly StageStep[], graph: StageGraph): readonly TextEdit[] {
  const first = steps.findIndex((step) => liftedFolder(step, graph) !== undefined)
  return steps.slice(first).flatMap((step) => {
    const edit = step.instruction.keyword === 'COPY' ? absoluteDestination(step, graph) : undefined
    return edit === undefined || edit === 'unusual' ? [] : [edit]
  })
}

/** Undefined when the destination is absolute as it stands. */
function absoluteDestination(step: StageStep, graph: StageGraph): TextEdit | 'unusual' | undefined {
  const { rest, json, start, headEnd } = step.instruction
  const written = (json ?? plainWords(rest)).at(-1) ?? ''
  const filled = expandIn(graph, step, written)
  if (filled.startsWith('/')) return undefined
  const folder = posix.resolve(step.before.workingDir, filled)
  const ending = /^\.?$|\/$/.test(filled) ? '/' : filled.endsWith('/.') ? '/.' : ''
  const path = folder === '/' ? '/' : `${folder}${ending}`
  const head = graph.dockerfile.text.slice(start, headEnd).trimEnd()
  const literal = json === undefined ? written : /"(?:[^"\\]|\\.)*"(?=\s*\]$)/.exec(head)?.[0]
  const tail = json === undefined ? '' : (/\s*\]$/.exec(head)?.[0] ?? '')
  if (literal === undefined || !head.endsWith(`${literal}${tail}`) || (path !== '/' && !PLAIN_PATH.test(path))) {
    return 'unusual'
  }
  const end = start + head.length - tail.length
  return { start: end - literal.length, end, text: json === undefined ? path : JSON.stringify(path) }
}
