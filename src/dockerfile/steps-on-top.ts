import type { StageLayers } from './dependency-stage.ts'
import type { BuildView, Dockerfile } from './dockerfile.ts'
import { leavesFolderAlone } from './harmless-run.ts'
import { passedSteps } from './passed-steps.ts'
import { resolveStages } from './stage-graph.ts'
import { walkStage } from './stage-steps.ts'

/** A RUN that is run on top of dependency layers, so that a builder must have them all before it can run it. */
export interface StepOnTop {
  readonly line: number
  /** Compressed bytes of the layers below it. */
  readonly bytes: number
  /** Line of the install that it may stand above, as it surely doesn't touch Python; undefined: it may need the packages. */
  readonly mayStandAbove: number | undefined
  /** Whether `reorder: safe` would build it before the layers. */
  readonly isPassable: boolean
}

/**
 * Finds the RUN steps of needed stages that stand on layers of dependencies. An empty builder pulls the layers for each
 * of them that isn't cached, whichever package has changed.
 * @param layers as planned; those before a step that stays count as well.
 * @param told lines that something else is said of: installs that stay.
 */
export function stepsOnTop(
  dockerfile: Dockerfile,
  layers: readonly StageLayers[],
  view: BuildView,
  told: ReadonlySet<number>,
): readonly StepOnTop[] {
  const graph = resolveStages(dockerfile, view)
  const replaced = new Set(layers.flatMap(({ steps }) => steps.map(({ lines }) => lines.first)))
  const found = new Map<number, StepOnTop>()
  for (const stage of graph.reachable) {
    const { steps } = walkStage(graph, stage, view)
    for (const entry of layers) {
      const first = entry.steps[0]?.lines.first
      const passable = new Set(
        entry.way === 'seed' || first === undefined
          ? []
          : passedSteps({ ...entry, line: first }, graph, view).map(({ instruction }) => instruction.lines.first),
      )
      const at = steps.findIndex(({ instruction }) => instruction.lines.first === first)
      if (at < 0 || first === undefined) continue
      for (const { instruction, before } of steps.slice(at + 1)) {
        const line = instruction.lines.first
        if (instruction.keyword !== 'RUN' || replaced.has(line) || told.has(line)) continue
        const isHarmless = leavesFolderAlone(instruction, entry.prefix, before.workingDir)
        const bytes = entry.plan.groups.reduce((sum, { size }) => sum + size, 0)
        const isPassable = passable.has(line)
        found.set(line, { line, bytes, mayStandAbove: isHarmless || isPassable ? first : undefined, isPassable })
      }
    }
  }
  return [...found.values()].sort((a, b) => a.line - b.line)
}
