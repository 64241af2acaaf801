import type { ComposedPart, NotComposable } from './composed-part.ts'
import { type ComposedInstall, layParts } from './composed-parts.ts'
import { type CopiedTree, copiedTrees } from './copied-trees.ts'
import type { StageLayers } from './dependency-stage.ts'
import type { BuildView, Dockerfile } from './dockerfile.ts'
import { type Folder, folderObstacle, liftedFolder } from './lift-workdirs.ts'
import { type CopyLink, isLinked, linkCopies, mayChange, remaindersOf, withoutInstall } from './link-copies.ts'
import { passedSteps } from './passed-steps.ts'
import { needsBeginning } from './render-dockerfile.ts'
import { splitStage } from './split-stage.ts'
import type { RewrittenSteps } from './stage-config.ts'
import { resolveStages, type StageGraph, stageChain, stagesNeededBy } from './stage-graph.ts'
import { type StageStep, walkStage } from './stage-steps.ts'
import type { TextEdit } from './text-edit.ts'

/** How an image is put together out of layers, as data. */
export interface ComposedPlan {
  /**
   * How many steps of the target, its lower stages included, make the image below the parts. 0: nothing but the base
   * image itself.
   */
  readonly below: number
  /** What is built of installs below the parts, by line: `RUN apt-get …`, or a comment where nothing is left. */
  readonly instead: ReadonlyMap<number, string>
  /** What must be done to the file so that parts can be copied from its stages. */
  readonly edits: readonly TextEdit[]
  /** Bottom first. */
  readonly parts: readonly ComposedPart[]
  readonly history: RewrittenSteps
  /** A word on every COPY and WORKDIR that became a part. */
  readonly links: readonly CopyLink[]
  /** RUN steps that are built before the layers of an install above them, by line, with the line of that install. */
  readonly passed: ReadonlyMap<number, number>
}

/**
 * Plans the target as a base with independent layers on top: one for each group, each COPY that can be linked, and the
 * folders of WORKDIR. Steps that need the files below them (RUN, ADD, other COPYs) must all stand before the first install,
 * or before a COPY that takes over the whole tree of an install in another stage: they are an ordinary image then, the base
 * of the parts.
 * @param layers bottom layer first, each
 */
export function planComposed(
  dockerfile: Dockerfile,
  layers: readonly StageLayers[],
  view: BuildView,
): ComposedPlan | NotComposable {
  const filled = layers.filter(({ plan, steps }) => plan.groups.length > 0 && steps.length > 0)
  if (filled.length === 0) return { reason: 'there are no layers of dependencies' }
  if (dockerfile.text.trimEnd().endsWith(dockerfile.escapeChar))
    return { reason: 'the last line of the file is not ended' }
  const seed = filled.find(({ way }) => way === 'seed')
  if (seed !== undefined) return { reason: `the install in line ${firstLine(seed)} runs on top of its layers` }
  const others = filled.find(({ owner }) => owner !== undefined)
  if (others !== undefined)
    return {
      reason: `the packages of line ${firstLine(others)} are ${others.owner}'s, which needs the files below them`,
    }
  const graph = resolveStages(dockerfile, view)
  const chain = stageChain(graph, graph.target)
  const own = filled.filter(({ stage }) => chain.includes(stage))
  const trees = copiedTrees(filled, graph, view).filter(({ stage }) => chain.includes(stage))
  const elsewhere = filled.find((entry) => !own.includes(entry) && !trees.some((tree) => tree.layers === entry))
  if (elsewhere !== undefined) {
    const line = dockerfile.stages[elsewhere.stage]?.from.lines.first
    return { reason: `the stage in line ${line} has layers of its own, and the image is not built on it` }
  }
  const installs = [...own.map(ownInstall), ...trees.map((tree) => treeInstall(tree, dockerfile))]
  const taken = new Set(trees.map(({ instruction }) => instruction.lines.first))
  const used = usedWithLayers(filled, installs, taken, graph)
  if (used !== undefined) return { reason: used }

  const remainders = remaindersOf(own.flatMap((entry) => entry.steps))
  const walk = walkStage(graph, graph.target, view)
  const steps = walk.steps.map((step) => withoutInstall(step, remainders))
  const targets = [graph.target, ...trees.map(({ stage }) => stage)].map((stage) => ({ stage, steps: [] }))
  const linked = linkCopies(dockerfile, [...own, ...targets], view, taken)
  const linkOf = new Map(linked.links.map((link) => [link.line, link]))
  const gone = new Set([...taken, ...own.flatMap((entry) => entry.steps.map(({ lines }) => lines.first))])
  for (const line of remainders.keys()) gone.delete(line)
  const obstacles = steps.map((step) => needsFilesBelow(step, gone, linkOf))
  const below = obstacles.findLastIndex((obstacle) => obstacle !== undefined) + 1
  const passed = new Map<number, number>()
  for (const { line, layers: entry, isTree } of installs) {
    const placed = { ...entry, line, steps: isTree ? [] : entry.steps }
    const behind = view.reorder ? passedSteps(placed, graph, view) : []
    for (const { instruction } of behind) passed.set(instruction.lines.first, line)
    // What is left of the install's own step stands before its layers in any case.
    const lowest = behind.at(-1)?.instruction.lines.first ?? (remainders.has(line) ? line : 0)
    const reach = steps.findIndex(({ instruction }) => instruction.lines.first === lowest)
    const at = steps.findIndex(({ instruction }) => instruction.lines.first === line)
    if (below > Math.max(reach + 1, at)) return { reason: obstacles[below - 1] ?? '' }
  }

  const folders = steps.flatMap((step, index) => (index < below ? [] : (liftedFolder(step, graph) ?? [])))
  for (const folder of folders) {
    const index = steps.indexOf(folder.step)
    const obstacle = folderObstacle(folder, index, steps, graph, view, walk.root) ?? changedByRun(folder, steps, below)
    if (obstacle !== undefined) return { reason: `WORKDIR in line ${folder.step.instruction.lines.first}: ${obstacle}` }
  }
  const slashes = linked.edits.filter(({ text }) => text === '/').map(({ start }) => start)
  const parts = layParts({ steps, below, installs, folders, graph, slashes })
  if ('reason' in parts) return parts
  const edits = [...new Set(installs.flatMap(({ split }) => split?.layers ?? []))].flatMap(
    (entry) => splitStage(dockerfile, entry).edits,
  )
  return { below, instead: insteadOf(steps.slice(0, below), gone, remainders), edits, passed, ...parts }
}

function firstLine({ steps }: StageLayers): number {
  return Math.min(...steps.map(({ lines }) => lines.first))
}

function ownInstall(layers: StageLayers): ComposedInstall {
  const title = (line: number): string => {
    const command = layers.steps.find(({ lines }) => lines.first === line)?.command ?? ''
    return `RUN ${command.replace(/\s+/g, ' ')}`
  }
  const others = layers.steps.flatMap(({ lines }) => (lines.first === firstLine(layers) ? [] : [lines.first]))
  return { line: firstLine(layers), others, layers, slots: layers.stage, split: undefined, isTree: false, title }
}

/** The layers at the place of a COPY, below them the environment as its stage has it before the packages. */
function treeInstall({ layers, instruction, stage, destination }: CopiedTree, dockerfile: Dockerfile): ComposedInstall {
  const isSplit = needsBeginning(layers)
  const name = isSplit ? splitStage(dockerfile, layers).name : ''
  return {
    line: instruction.lines.first,
    others: [],
    layers: { ...layers, stage, prefix: destination },
    slots: layers.stage,
    split: isSplit ? { layers, name, line: firstLine(layers) } : undefined,
    isTree: true,
    title: () => `COPY ${instruction.rest}`,
  }
}

/** Why a stage with installs would have to be built as it is written; undefined where none would. */
function usedWithLayers(
  filled: readonly StageLayers[],
  installs: readonly ComposedInstall[],
  taken: ReadonlySet<number>,
  graph: StageGraph,
): string | undefined {
  const { dockerfile, target } = graph
  const instructionsOf = (stages: readonly number[]) =>
    stages.flatMap((stage) => dockerfile.stages[stage]?.instructions ?? [])
  const others = instructionsOf(stageChain(graph, target)).filter(({ lines }) => !taken.has(lines.first))
  const beginnings = installs.flatMap(({ split }) => {
    if (split === undefined) return []
    const lower = stageChain(graph, split.layers.stage)
    return [{ lower: lower.slice(0, -1), steps: instructionsOf(lower).filter(({ lines }) => lines.first < split.line) }]
  })
  const needed = stagesNeededBy(graph, [...others, ...beginnings.flatMap(({ steps }) => steps)])
  const built = new Set([...needed, ...beginnings.flatMap(({ lower }) => lower)])
  const stage = filled.find((entry) => built.has(entry.stage))
  if (stage !== undefined)
    return `the stage in line ${dockerfile.stages[stage.stage]?.from.lines.first} has layers, and other files of it are needed`
  const isNumbered = dockerfile.stages.some(({ instructions }) =>
    instructions.some(({ keyword, flags }) => {
      return keyword === 'COPY' && flags.some(({ name, value }) => name === 'from' && /^\+?\d+$/.test(value ?? ''))
    }),
  )
  return beginnings.length > 0 && isNumbered ? 'stages are named by their numbers' : undefined
}

/** Why a step can't be a layer of its own; undefined where it can, or makes no layer. @param gone lines whose layers come from elsewhere */
function needsFilesBelow(
  { instruction }: StageStep,
  gone: ReadonlySet<number>,
  links: ReadonlyMap<number, CopyLink>,
): string | undefined {
  const { keyword, lines } = instruction
  const line = lines.first
  if (gone.has(line)) return undefined
  if (keyword === 'RUN') return `the RUN in line ${line} runs on top of the dependencies`
  if (keyword === 'ADD') return `the ADD in line ${line} unpacks onto the files below it`
  if (keyword !== 'COPY' || isLinked(instruction)) return undefined
  const link = links.get(line)
  if (link?.linked === true) return undefined
  return `the COPY in line ${line} needs the files below it: ${link?.reason ?? 'link-copies is off'}`
}

/** A folder that a RUN below made has an owner and a mode that are not known. */
function changedByRun({ path }: Folder, steps: readonly StageStep[], below: number): string | undefined {
  const run = mayChange(steps.slice(0, below), path)
  return run && `the RUN in line ${run.instruction.lines.first} may have made ${path}`
}

/** Steps that have lost their install, as they are built. @param gone lines of those that nothing is left of */
function insteadOf(
  steps: readonly StageStep[],
  gone: ReadonlySet<number>,
  remainders: ReadonlyMap<number, string>,
): ReadonlyMap<number, string> {
  return new Map(
    steps.flatMap(({ instruction }): (readonly [number, string])[] => {
      const line = instruction.lines.first
      if (gone.has(line)) return [[line, `# image-cache: the layers of line ${line} lie on top of this stage`]]
      const rest = remainders.get(line)
      if (rest === undefined) return []
      const flags = instruction.flags.map(({ name, value }) => `--${name}${value === undefined ? '' : `=${value}`} `)
      return [[line, `RUN ${flags.join('')}${rest}`]]
    }),
  )
}
