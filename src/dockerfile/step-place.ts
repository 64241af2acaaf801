import type { BuildView } from './dockerfile.ts'
import type { StageGraph } from './stage-graph.ts'
import type { StageWalk } from './stage-steps.ts'
import type { StepUser } from './step-user.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'

/** The place of a step in its stage. */
export interface StepPlace {
  readonly index: number
  readonly walk: StageWalk
  readonly graph: StageGraph
  readonly view: BuildView
  /** Environments that steps above have made. */
  readonly environments: readonly VirtualEnvironment[]
  /** First lines of installs above that layers take the place of. */
  readonly replaced: ReadonlySet<number>
  /** Who the step runs as; absent: root, or not looked up. */
  readonly user?: StepUser | undefined
}
