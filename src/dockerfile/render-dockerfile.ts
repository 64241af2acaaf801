import { type CopiedTree, copiedTrees } from './copied-trees.ts'
import type { InstallerSurroundings, StageLayers } from './dependency-stage.ts'
import type { BuildView, Dockerfile, InstallStep, Instruction } from './dockerfile.ts'
import { type LiftedWorkdirs, type LiftOptions, liftWorkdirs } from './lift-workdirs.ts'
import { type CopyLink, linkCopies } from './link-copies.ts'
import { INTRO, type NamedLayers, nameStages, ownedStages, splitting } from './named-layers.ts'
import { type PlacedLayers, passedSteps } from './passed-steps.ts'
import { remainderLines, splitStage } from './split-stage.ts'
import type { HistoryStep } from './stage-config.ts'
import { resolveStages } from './stage-graph.ts'
import { shiftedStageNumbers } from './stage-numbers.ts'
import type { StageStep } from './stage-steps.ts'
import { applyEdits, type TextEdit } from './text-edit.ts'

export interface RenderedDockerfile {
  readonly text: string
  /** What became of the user's own COPY and WORKDIR steps, in the order of the file. */
  readonly links: readonly CopyLink[]
  /**
   * Configuration that the exporter must give the image, as JSON: the file alone no longer says it. Undefined where it
   * does.
   */
  readonly config: string | undefined
  /** RUN steps that are built before the layers of an install above them, by line, with the line of that install. */
  readonly passed: ReadonlyMap<number, number>
}

/**
 * Writes the *linked* form: a stage for each group above the user's first FROM, and `COPY --link` of the groups where the
 * first install of a stage stood. Every other line stays as it was, byte for byte, but for COPY steps that are linked,
 * stage numbers in `COPY --from`, which count the new stages as well, and WORKDIR steps where `lift` is given.
 * @param layers bottom layer first, each. Several of one stage (different settings) are allowed.
 * @param options with `chain` the groups lie upon each other, as plain COPY steps, and no other step is touched; with `lift` the target's COPY steps are linked and its WORKDIRs lifted even where it has no layers, with `linkCopies: all` its COPY steps alone.
 */
export function renderLinked(
  dockerfile: Dockerfile,
  layers: readonly StageLayers[],
  options: BuildView &
    InstallerSurroundings & { readonly lift?: LiftOptions | undefined; readonly chain?: boolean | undefined },
): RenderedDockerfile {
  const filled = layers.filter(({ plan, steps }) => plan.groups.length > 0 && steps.length > 0)
  const firstFrom = dockerfile.stages[0]?.from
  const linksTarget = options.lift !== undefined || (options.linkCopies === 'all' && !options.chain)
  if ((filled.length === 0 && !linksTarget) || firstFrom === undefined) {
    return { text: dockerfile.text, links: [], config: undefined, passed: new Map() }
  }
  const graph = resolveStages(dockerfile, options)
  const stages: string[] = []
  const slots = new Map<number, number>()
  const isLinked = ({ owner }: StageLayers): boolean => owner !== undefined && !options.chain
  const owned = new Map(filled.filter(isLinked).map((entry) => [entry, ownedStages(entry, slots, options)]))
  const named = filled.map((entry) => owned.get(entry)?.named ?? nameStages(entry, stages, slots, options))
  const edits: TextEdit[] = []
  const installs = new Map<number, readonly HistoryStep[]>()
  const link = options.chain ? '' : ' --link'
  const passed = new Map<number, number>()
  const passedBy = (placed: PlacedLayers): readonly StageStep[] => {
    const steps = options.reorder ? passedSteps(placed, graph, options) : []
    for (const { instruction } of steps) passed.set(instruction.lines.first, placed.line)
    return steps
  }
  const trees = options.chain ? [] : copiedTrees(filled, graph, options)
  const splits: number[] = []
  const splitEdits: TextEdit[] = []
  for (const [entry, { between }] of owned) {
    splitEdits.push(...splitStage(dockerfile, splitting(entry), between).edits)
    splits.push(entry.stage, ...between.map(() => entry.stage))
  }
  const split = new Set(trees.flatMap((tree) => (needsBeginning(tree.layers) ? [tree.layers.stage] : [])))
  for (const { layers: entry, names } of named) {
    if (entry.way === 'seed') {
      edits.push(...seedEdits(dockerfile, entry.steps, copyLines(entry, names, link)))
      continue
    }
    const line = inOrder(entry.steps)[0]?.lines.first ?? 0
    const behind = passedBy({ ...entry, line }).at(-1)
    const isSplit = split.has(entry.stage) || owned.has(entry)
    edits.push(...replacedSteps(dockerfile, entry.steps, copyLines(entry, names, link), behind, isSplit))
    // What is copied in the name of a user needs the files below it, as a step that stays does.
    if (entry.owner !== undefined) continue
    for (const [line, history] of installHistory(entry.steps, names.length)) installs.set(line, history)
  }
  for (const tree of trees) {
    const { stage, instruction, destination: prefix } = tree
    const behind = passedBy({ stage, line: instruction.lines.first, prefix, steps: [] }).at(-1)
    const placed = placeTree(tree, behind, named, dockerfile, stages, slots, splits, options)
    edits.push(...placed.edits)
    splitEdits.push(...placed.splitEdits)
    installs.set(tree.instruction.lines.first, placed.history)
  }
  const replaced = filled.map((entry) => (entry.way === 'seed' ? { ...entry, steps: [] } : entry))
  const target = linksTarget ? [{ stage: graph.target, steps: [] }] : []
  const copied = trees.map(({ stage }) => ({ stage, steps: [] }))
  const taken = new Set(trees.map(({ instruction }) => instruction.lines.first))
  const linked = options.chain
    ? { links: [], edits: [] }
    : linkCopies(dockerfile, [...replaced, ...copied, ...target], options, taken)
  const linkedCopies = new Set([...taken, ...linked.links.filter((link) => link.linked).map(({ line }) => line)])
  const lifted: LiftedWorkdirs | undefined =
    options.lift && liftWorkdirs(dockerfile, { installs, linkedCopies }, options, options.lift)

  stages.push(...(lifted?.stages ?? []))
  const above = stages.length === 0 ? '' : `${INTRO}\n${stages.join('\n')}\n`
  const all = [
    { start: firstFrom.start, end: firstFrom.start, text: above },
    ...(lifted?.edits ?? []),
    ...splitEdits,
    ...edits,
    ...shiftedStageNumbers(dockerfile, stages.length, splits, taken),
    ...linked.edits,
  ]
  const links = [...linked.links, ...(lifted?.links ?? [])].sort((a, b) => a.line - b.line)
  return { text: applyEdits(dockerfile.text, all), links, config: lifted?.config, passed }
}

/** Whether the environment is made by the user's stage, and not by a layer. */
export function needsBeginning({ environment, skeleton }: StageLayers): boolean {
  return environment !== undefined && skeleton === undefined
}

/** Puts the layers themselves where a COPY took over their whole tree. */
function placeTree(
  { layers, instruction, stage, destination }: CopiedTree,
  behind: StageStep | undefined,
  named: readonly NamedLayers[],
  dockerfile: Dockerfile,
  stages: string[],
  slots: Map<number, number>,
  splits: number[],
  options: InstallerSurroundings,
): {
  readonly edits: readonly TextEdit[]
  /** To stand before other edits at the same place. */
  readonly splitEdits: readonly TextEdit[]
  readonly history: readonly HistoryStep[]
} {
  const own = named.find((entry) => entry.layers === layers)
  const moved = { ...layers, stage, prefix: destination }
  const names =
    destination === layers.prefix && own !== undefined ? own.names : nameStages(moved, stages, slots, options).names
  const splitEdits: TextEdit[] = []
  const lines = names.map((name) => `COPY --link --from=${name} /layer/ /`)
  if (needsBeginning(layers)) {
    // The environment as its stage has it before the packages: a stage of its own from now on.
    const split = splitStage(dockerfile, layers)
    splitEdits.push(...(splits.includes(layers.stage) ? [] : split.edits))
    if (!splits.includes(layers.stage)) splits.push(layers.stage)
    lines.unshift(`COPY --link --from=${split.name} ${destination}/ ${destination}/`)
  }
  const written = dockerfile.text.slice(instruction.start, instruction.end).split(/\r?\n/)[0] ?? ''
  const { newline } = dockerfile
  const edits = layerEdits(instruction, `layers of: ${written.trim()}`, [], lines, behind, newline)
  const history = lines.map((_, layer) => {
    return { text: `COPY ${instruction.rest} # image-cache: layer ${layer + 1} of ${lines.length}`, layer: true }
  })
  return { edits, splitEdits, history }
}

/** The layers of a stage's installs all stand where the first install stood. */
function installHistory(
  steps: readonly InstallStep[],
  layers: number,
): readonly (readonly [line: number, history: readonly HistoryStep[]])[] {
  return inOrder(steps).flatMap(({ lines, command, remainder }, index) => {
    // What stays of the step is a RUN like any other, whose files only a build can tell.
    if (remainder !== undefined) return []
    const text = `RUN ${command.replace(/\s+/g, ' ')} # image-cache:`
    const history =
      index === 0
        ? Array.from({ length: layers }, (_, layer) => ({
            text: `${text} layer ${layer + 1} of ${layers}`,
            layer: true,
          }))
        : [{ text: `${text} in the layers above`, layer: false }]
    return [[lines.first, history] as const]
  })
}

function inOrder(steps: readonly InstallStep[]): readonly InstallStep[] {
  return [...steps].sort((a, b) => a.lines.first - b.lines.first)
}

function replacedSteps(
  dockerfile: Dockerfile,
  steps: readonly InstallStep[],
  layers: readonly string[],
  behind: StageStep | undefined,
  isSplit: boolean,
): readonly TextEdit[] {
  const { newline } = dockerfile
  return inOrder(steps).flatMap((step, index) => {
    const place = placeOf(dockerfile, step)
    // Where the stage is split above the first install, what is left of that stands in the stage below.
    const remainder = isSplit && index === 0 ? [] : remainderLines(place, steps)
    if (index === 0) return layerEdits(place, `layers of: ${step.command}`, remainder, layers, behind, newline)
    const where = behind === undefined ? 'the layers above' : 'the same layers'
    const text = [`# image-cache: in ${where}: ${step.command}`, ...remainder]
    return [{ start: place.start, end: place.end, text: text.join(newline) }]
  })
}

/** Puts layers where a step stood, or behind a later one. @param stays what is left of the step */
function layerEdits(
  place: Instruction,
  comment: string,
  stays: readonly string[],
  layers: readonly string[],
  behind: StageStep | undefined,
  newline: string,
): readonly TextEdit[] {
  const { start, end } = place
  if (behind === undefined)
    return [{ start, end, text: [`# image-cache: ${comment}`, ...stays, ...layers].join(newline) }]
  const last = behind.instruction
  const here = [`# image-cache: behind line ${last.lines.first}: ${comment}`, ...stays].join(newline)
  const below = ['', `# image-cache: ${comment}`, ...layers].join(newline)
  return [
    { start, end, text: here },
    { start: last.end, end: last.end, text: below },
  ]
}

/** Layers before the first step; the steps stay as they are. */
function seedEdits(
  dockerfile: Dockerfile,
  steps: readonly InstallStep[],
  copies: readonly string[],
): readonly TextEdit[] {
  const [first] = inOrder(steps)
  if (first === undefined) return []
  const place = placeOf(dockerfile, first)
  const { start } = place
  // A tool must find an environment of its own making.
  const beginning = remainderLines(place, [{ ...first, remainder: first.makes?.command }])
  const text = ['# image-cache: layers for the next step', ...beginning, ...copies, ''].join(dockerfile.newline)
  return [{ start, end: start, text }]
}

/** A plain COPY takes the numbers of a user from the image itself, and leaves the folders above as they are. */
function copyLines({ owner, prefix }: StageLayers, names: readonly string[], link: string): readonly string[] {
  if (owner === undefined || link !== '') return names.map((name) => `COPY${link} --from=${name} /layer/ /`)
  return names.map((name) => `COPY --chown=${owner} --from=${name} /layer${prefix}/ ${prefix}/`)
}

function placeOf(dockerfile: Dockerfile, step: InstallStep): Dockerfile['stages'][number]['instructions'][number] {
  const place = dockerfile.stages[step.stage]?.instructions.find(({ lines }) => lines.first === step.lines.first)
  if (place === undefined) throw new RangeError(`no step at line ${step.lines.first} of stage ${step.stage}`)
  return place
}
