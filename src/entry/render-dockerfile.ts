import type { Assembly, PlannedDockerfile } from '../flow/plan-dockerfile.ts'
import { planImage } from '../flow/plan-image.ts'
import type { BuildSettings } from '../inputs/build-settings.ts'
import type { LayerPlan } from '../layers/layer-plan.ts'
import type { ReportDockerfileStep } from '../report/report.ts'
import { libraryRun, type RunOptions } from './library-run.ts'

/** A Dockerfile whose dependencies are layers of their own, and how it came to be. */
export interface RenderedDockerfile {
  /** The whole file; the user's own where nothing was to be rewritten. */
  readonly text: string
  /** How the layers become part of the image; `as-written` where there are none. */
  readonly assembly: Assembly
  /** Why it is assembled like that, one sentence; empty where there is nothing to assemble. */
  readonly assemblyReason: string
  /** The layers of each stage that has some, by the stage's number in the user's file, from 0. */
  readonly layers: readonly { readonly stage: number; readonly plan: LayerPlan }[]
  /** What became of each step that was looked at, in the order of the file. */
  readonly steps: readonly ReportDockerfileStep[]
  /** Where versions came from, and how long it took, one sentence each. */
  readonly notes: readonly string[]
}

/**
 * Writes the Dockerfile that a build with these settings would be made from; no image is built. Versions that no
 * earlier run remembers are resolved on the builder, which asks the package index. A composed image is built part by
 * part: its file shows what is built where no part is there yet.
 * @param settings inputs of the action; `spec` in place of a Dockerfile, too
 * @param options where the run takes place
 * @throws ImageCacheError E_INPUT and E_DOCKERFILE for sources that can't be read, E_BUILDER when versions must be
 * resolved and there is no builder
 */
export async function renderDockerfile(settings: BuildSettings, options: RunOptions = {}): Promise<RenderedDockerfile> {
  return await libraryRun(settings, options, async ({ inputs, deps }) => rendered(await planImage(inputs, deps)))
}

function rendered({ text, assembly, assemblyReason, layers, steps, notes }: PlannedDockerfile): RenderedDockerfile {
  const plans = layers.map(({ stage, plan }) => ({ stage, plan }))
  return { text, assembly, assemblyReason, layers: plans, steps, notes }
}
