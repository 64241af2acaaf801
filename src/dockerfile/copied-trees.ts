import { readCopyStep } from './copy-step.ts'
import type { StageLayers } from './dependency-stage.ts'
import type { BuildView, Instruction } from './dockerfile.ts'
import { leavesFolderAlone } from './harmless-run.ts'
import { isSwitchedOff } from './install-text.ts'
import { landingObstacle } from './landing-place.ts'
import type { StageGraph } from './stage-graph.ts'
import { pythonVersionOf, walkStage } from './stage-steps.ts'

/**
 * A COPY that brings a whole tree of packages from the stage that installs them, as in a builder stage whose environment
 * a slim final stage takes over. The layers can be copied straight into its stage instead.
 */
export interface CopiedTree {
  /** Stage of the COPY. */
  readonly stage: number
  readonly instruction: Instruction
  readonly layers: StageLayers
  /** Absolute. */
  readonly destination: string
}

/** Finds the COPY steps of needed stages that take over the trees of other stages' layers, and nothing else. */
export function copiedTrees(layers: readonly StageLayers[], graph: StageGraph, view: BuildView): readonly CopiedTree[] {
  const own = layers.filter(
    ({ way, prefix, owner }) => way !== 'seed' && owner === undefined && prefix !== '/usr/local' && prefix !== '/usr',
  )
  return graph.reachable.flatMap((stage) => {
    const walk = walkStage(graph, stage, view)
    return walk.steps.flatMap((step, index): CopiedTree[] => {
      const copy = step.stage === stage ? readCopyStep(step, graph) : undefined
      const [source, ...more] = copy?.sources ?? []
      if (copy?.keyword !== 'COPY' || copy.from === undefined || source === undefined || more.length > 0) return []
      const from = stageOf(copy.from, graph)
      const entry = own.find(
        (candidate) => candidate.stage === from && candidate.prefix === `/${source.replace(/\/$/, '')}`,
      )
      if (entry === undefined || from === stage || isSwitchedOff(step.instruction)) return []
      const flagsFit = [...copy.flags].every(
        ([name, value]) =>
          name === 'from' || name === 'link' || (name === 'chown' && /^(?:0|root)(?::(?:0|root))?$/.test(value ?? '')),
      )
      const { destination } = copy
      const isSame = destination === entry.prefix
      if (!flagsFit || (!isSame && !movable(entry, destination)) || !isUntouched(entry, graph, view)) return []
      const isSystem = destination === '/usr/local'
      if (isSystem && !samePython(entry, pythonVersionOf(walk.root))) return []
      if (!isSystem && landingObstacle(destination, index, walk, graph, view, 'new') !== undefined) return []
      return [{ stage, instruction: step.instruction, layers: entry, destination }]
    })
  })
}

/** Environments hold their own path; plain trees can be laid anywhere. A Python's own folder takes trees with lib and bin. */
function movable({ environment, layout }: StageLayers, destination: string): boolean {
  return environment === undefined && (layout !== 'flat' || destination !== '/usr/local')
}

function samePython({ pythonVersion }: StageLayers, full: string | undefined): boolean {
  return full === pythonVersion || full?.startsWith(`${pythonVersion}.`) === true
}

/** Whether nothing but the layers and the environment's own beginning lies in the tree when its stage ends. */
function isUntouched(layers: StageLayers, graph: StageGraph, view: BuildView): boolean {
  const { stage, steps, prefix } = layers
  const walk = walkStage(graph, stage, view)
  const replaced = new Set(steps.map(({ lines }) => lines.first))
  const last = walk.steps.findLastIndex(({ instruction }) => replaced.has(instruction.lines.first))
  return walk.steps.slice(last + 1).every((step) => {
    const { instruction, before } = step
    const copy = readCopyStep(step, graph)
    if (copy !== undefined)
      return !prefix.startsWith(copy.destination.replace(/\/?$/, '/')) || copy.from === undefined
        ? !`${copy.destination}/`.startsWith(`${prefix}/`)
        : false
    return instruction.keyword !== 'RUN' || leavesFolderAlone(instruction, prefix, before.workingDir)
  })
}

/** A stage by name or place; undefined for an image. */
export function stageOf(from: string, { dockerfile }: StageGraph): number | undefined {
  const named = dockerfile.stages.findLast(({ name }) => name === from.toLowerCase())
  if (named !== undefined) return named.index
  return /^\+?\d+$/.test(from) ? Number(from) : undefined
}
