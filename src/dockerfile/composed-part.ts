import type { LayerGroup } from '../layers/layer-plan.ts'
import type { CopyStep } from './copy-step.ts'
import type { EnvironmentSkeleton, StageLayers } from './dependency-stage.ts'

/** A layer of a composed image. It needs nothing of the layers below, so it can be made on its own and kept. */
export type ComposedPart =
  | {
      readonly kind: 'group'
      /** Name of the stage that installs it. */
      readonly name: string
      readonly layers: StageLayers
      /** Without packages where it is the environment itself. */
      readonly group: LayerGroup
      readonly skeleton?: EnvironmentSkeleton | undefined
    }
  /** Folders of WORKDIR steps, absolute, each with root as its owner. */
  | { readonly kind: 'folders'; readonly paths: readonly string[] }
  | {
      readonly kind: 'copy'
      readonly line: number
      readonly copy: CopyStep
      /** The step as one that stands on nothing, in one line. */
      readonly text: string
      /** Set where files come from a stage as it is before its installs. */
      readonly beginningOf?: { readonly stage: number; readonly line: number } | undefined
    }

/** A part that a COPY became, or a sentence that says why it can't. */
export type CopyPart = Extract<ComposedPart, { kind: 'copy' }>

/** Why the image must be built as a whole: one sentence. */
export interface NotComposable {
  readonly reason: string
}
