import type { LayerGroup } from '../layers/layer-plan.ts'
import { type CopyStep, readCopyStep } from './copy-step.ts'
import { dependencyStageName, type StageLayers } from './dependency-stage.ts'
import type { BuildView, Dockerfile } from './dockerfile.ts'
import { type Folder, folderObstacle, liftedFolder } from './lift-workdirs.ts'
import { type CopyLink, isLinked, linkCopies, mayChange } from './link-copies.ts'
import type { HistoryStep, RewrittenSteps } from './stage-config.ts'
import { resolveStages, type StageGraph, stageChain } from './stage-graph.ts'
import { type StageStep, walkStage } from './stage-steps.ts'

/** A layer of a composed image. It needs nothing of the layers below, so it can be made on its own and kept. */
export type ComposedPart =
  | {
      readonly kind: 'group'
      /** Name of the stage that installs it. */
      readonly name: string
      readonly layers: StageLayers
      readonly group: LayerGroup
    }
  /** Folders of WORKDIR steps, absolute, each with root as its owner. */
  | { readonly kind: 'folders'; readonly paths: readonly string[] }
  | {
      readonly kind: 'copy'
      readonly line: number
      readonly copy: CopyStep
      /** The step as one that stands on nothing, in one line. */
      readonly text: string
    }

/** How an image is put together out of layers, as data. */
export interface ComposedPlan {
  /**
   * How many steps of the target, its lower stages included, make the image below the parts. 0: nothing but the base
   * image itself.
   */
  readonly below: number
  /** Bottom first. */
  readonly parts: readonly ComposedPart[]
  readonly history: RewrittenSteps
  /** A word on every COPY and WORKDIR that became a part. */
  readonly links: readonly CopyLink[]
}

/** Why the image must be built as a whole: one sentence. */
export interface NotComposable {
  readonly reason: string
}

/**
 * Plans the target as a base with independent layers on top: one for each group, each COPY that can be linked, and the
 * folders of WORKDIR. Steps that need the files below them (RUN, ADD, other COPYs) must all stand before the first install:
 * they are an ordinary image then, the base of the parts.
 * @param layers bottom layer first, each; all must belong to the target or a stage that it stands on
 */
export function planComposed(
  dockerfile: Dockerfile,
  layers: readonly StageLayers[],
  view: BuildView,
): ComposedPlan | NotComposable {
  const filled = layers.filter(({ plan, steps }) => plan.groups.length > 0 && steps.length > 0)
  if (filled.length === 0) return { reason: 'there are no layers of dependencies' }
  const obstacle = filled.map(layersObstacle).find((reason) => reason !== undefined)
  if (obstacle !== undefined) return { reason: obstacle }
  if (dockerfile.text.trimEnd().endsWith(dockerfile.escapeChar))
    return { reason: 'the last line of the file is not ended' }
  const graph = resolveStages(dockerfile, view)
  const chain = stageChain(graph, graph.target)
  const elsewhere = filled.find(({ stage }) => !chain.includes(stage))
  if (elsewhere !== undefined) {
    const line = dockerfile.stages[elsewhere.stage]?.from.lines.first
    return { reason: `the stage in line ${line} has layers of its own, and the image is not built on it` }
  }
  const { steps } = walkStage(graph, graph.target, view)
  const linked = linkCopies(dockerfile, [...filled, { stage: graph.target, steps: [] }], view)
  const linkOf = new Map(linked.links.map((link) => [link.line, link]))
  const installs = new Set(filled.flatMap((entry) => entry.steps.map(({ lines }) => lines.first)))
  const obstacles = steps.map((step) => needsFilesBelow(step, installs, linkOf))
  const below = obstacles.findLastIndex((obstacle) => obstacle !== undefined) + 1
  const firstInstall = steps.findIndex(({ instruction }) => installs.has(instruction.lines.first))
  if (below > firstInstall) return { reason: obstacles[below - 1] ?? '' }

  const folders = steps.flatMap((step, index) => (index < below ? [] : (liftedFolder(step, graph) ?? [])))
  for (const folder of folders) {
    const index = steps.indexOf(folder.step)
    const obstacle = folderObstacle(folder, index, steps, graph, view) ?? changedByRun(folder, steps, below)
    if (obstacle !== undefined) return { reason: `WORKDIR in line ${folder.step.instruction.lines.first}: ${obstacle}` }
  }
  const slashes = linked.edits.filter(({ text }) => text === '/').map(({ start }) => start)
  return partsOf({ steps, below, filled, folders, graph, slashes })
}

/** Why layers can't stand on the image alone; undefined where they can. */
function layersObstacle({ way, steps, skeleton }: StageLayers): string | undefined {
  const line = Math.min(...steps.map(({ lines }) => lines.first))
  if (way === 'seed') return `the install in line ${line} runs on top of its layers`
  if (skeleton !== undefined) return `the install in line ${line} makes an environment`
  const split = steps.find(({ remainder }) => remainder !== undefined)
  return split && `a part of the RUN in line ${split.lines.first} stays`
}

/** Why a step can't be a layer of its own; undefined where it can, or makes no layer. */
function needsFilesBelow(
  { instruction }: StageStep,
  installs: ReadonlySet<number>,
  links: ReadonlyMap<number, CopyLink>,
): string | undefined {
  const { keyword, lines } = instruction
  const line = lines.first
  if (keyword === 'RUN' && !installs.has(line)) return `the RUN in line ${line} runs on top of the dependencies`
  if (keyword === 'ADD') return `the ADD in line ${line} unpacks onto the files below it`
  if (keyword !== 'COPY' || isLinked(instruction)) return undefined
  const link = links.get(line)
  if (link?.linked === true) return undefined
  return `the COPY in line ${line} needs the files below it: ${link?.reason ?? 'it has not been looked into'}`
}

/** A folder that a RUN below made has an owner and a mode that are not known. */
function changedByRun({ path }: Folder, steps: readonly StageStep[], below: number): string | undefined {
  const run = mayChange(steps.slice(0, below), path)
  return run && `the RUN in line ${run.instruction.lines.first} may have made ${path}`
}

interface PartsQuestion {
  readonly steps: readonly StageStep[]
  readonly below: number
  readonly filled: readonly StageLayers[]
  readonly folders: readonly Folder[]
  readonly graph: StageGraph
  /** Places in the text where a destination needs a slash at its end. */
  readonly slashes: readonly number[]
}

function partsOf({ steps, below, filled, folders, graph, slashes }: PartsQuestion): ComposedPlan | NotComposable {
  const parts: ComposedPart[] = []
  const links: CopyLink[] = []
  const history = new Map<number, readonly (HistoryStep | 'as-written' | 'without-layer')[]>()
  const folderLines = new Set(folders.map(({ step }) => step.instruction.lines.first))
  const paths = [...new Set(folders.map(({ path }) => path))]
  let waiting = paths.length > 0
  const slots = new Map<number, number>()
  for (const step of steps.slice(below)) {
    const { instruction } = step
    const line = instruction.lines.first
    const entries: (HistoryStep | 'as-written' | 'without-layer')[] = []
    const installed = filled.filter((layers) => layers.steps.some(({ lines }) => lines.first === line))
    const isFolder = folderLines.has(line)
    // All folders come right below the first layer, so that whatever is copied into them lies above.
    const isPlace = waiting && (isFolder || instruction.keyword === 'COPY' || installed.length > 0)
    if (isPlace) {
      waiting = false
      parts.push({ kind: 'folders', paths })
      if (!isFolder) entries.push({ text: `WORKDIR ${paths.join(' ')} # image-cache: folders`, layer: true })
    }
    if (isFolder) {
      entries.push(isPlace ? 'as-written' : 'without-layer')
      links.push({ line, linked: true, reason: 'the folder is a layer of its own, so the base image is not needed' })
    }
    for (const layers of installed) {
      const groups = isFirst(layers, line) ? layers.plan.groups : []
      entries.push(...installHistory(layers, line))
      for (const group of groups) {
        const slot = (slots.get(layers.stage) ?? 0) + 1
        slots.set(layers.stage, slot)
        parts.push({ kind: 'group', name: dependencyStageName(layers.stage, slot), layers, group })
      }
    }
    if (instruction.keyword === 'COPY') {
      const part = copyPart(step, graph, slashes)
      if ('reason' in part) return part
      parts.push(part)
      entries.push('as-written')
      links.push({ line, linked: true, reason: 'a layer of its own: nothing of the layers below is needed for it' })
    }
    if (entries.length > 0) history.set(line, entries)
  }
  return { below, parts, history, links }
}

function isFirst({ steps }: StageLayers, line: number): boolean {
  return line === Math.min(...steps.map(({ lines }) => lines.first))
}

/** The layers of a stage's installs all stand where the first install stood. */
function installHistory(layers: StageLayers, line: number): readonly HistoryStep[] {
  const command = layers.steps.find(({ lines }) => lines.first === line)?.command ?? ''
  const text = `RUN ${command.replace(/\s+/g, ' ')} # image-cache:`
  const { length } = layers.plan.groups
  if (!isFirst(layers, line)) return [{ text: `${text} in the layers above`, layer: false }]
  return Array.from({ length }, (_, at) => ({ text: `${text} layer ${at + 1} of ${length}`, layer: true }))
}

const FLAGS = new Set(['from', 'chown', 'exclude', 'link'])
/** Neither quotes nor variables nor anything else that the Dockerfile's own rules would change. */
const PLAIN = /^[\w@%+=:,./~*?[\]{}!^][\w@%+=:,./~*?[\]{}!^-]*$/

function copyPart(step: StageStep, graph: StageGraph, slashes: readonly number[]): ComposedPart | NotComposable {
  const { instruction } = step
  const line = instruction.lines.first
  const copy = readCopyStep(step, graph)
  if (copy === undefined) throw new RangeError(`no COPY in line ${line}`)
  const unusual = (what: string): NotComposable => ({ reason: `the COPY in line ${line} ${what}` })
  if (copy.inline) return unusual('has its files in the Dockerfile')
  const flag = [...copy.flags.keys()].find((name) => !FLAGS.has(name))
  if (flag !== undefined) return unusual(`has --${flag}`)
  const owner = copy.flags.get('chown')
  if (owner !== undefined && !/^\d+(?::\d+)?$/.test(owner))
    return unusual(`looks up the owner ${owner} in the files below`)
  const needsSlash = slashes.some((at) => at >= instruction.start && at <= instruction.end)
  const folder = copy.destination.replace(/\/?$/, '/')
  const words = [
    ...copy.sources.map((source) => (source === '' ? '.' : source)),
    copy.isFolder || needsSlash ? folder : copy.destination,
  ]
  const flags = instruction.flags.flatMap(({ name }) => {
    const values = instruction.flags.filter((given) => given.name === name)
    if (name === 'link' || values.length > 1) return []
    return [`--${name}=${copy.flags.get(name) ?? ''}`]
  })
  if (flags.length < instruction.flags.filter(({ name }) => name !== 'link').length) return unusual('repeats a flag')
  if (![...words, ...flags.map((text) => text.slice(2))].every((word) => PLAIN.test(word)))
    return unusual('is written in an unusual way')
  return { kind: 'copy', line, copy, text: ['COPY --link', ...flags, ...words].join(' ') }
}
