import type { Digest } from '../base/digest.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import type { PullFinding } from '../buildx/pull-audit.ts'
import type { StepLayer } from '../buildx/step-layers.ts'
import type { TaskRow } from './task-report.ts'

/** How a run of the whole line ended. */
export type BuildOutcome = 'built' | 'skipped' | 'failed' | 'cancelled'

/** A layer of the image that the plan speaks of, in the image's order, bottom first. */
export interface ReportLayer {
  /** What the layer holds, in a few words: `base image`, `torch and 3 more`, `application`. */
  readonly what: string
  /** Names with versions, for those who look closer. */
  readonly packages: readonly string[]
  /** Compressed bytes, where known. */
  readonly bytes?: number | undefined
  readonly state: 'built' | 'reused' | 'unknown'
  /** Why it was built, or where it was found. */
  readonly why: string
}

/** What became of a step of the user's Dockerfile. */
export interface ReportDockerfileStep {
  /** 1-based. */
  readonly line: number
  readonly text: string
  readonly what: 'rewritten' | 'linked' | 'moved' | 'left'
  readonly reason: string
}

/** A cache that was read or written. */
export interface ReportCache {
  /** `import registry/app:cache`, `export …`, `record`, `tidy`. */
  readonly what: string
  readonly outcome: 'ok' | 'hit' | 'miss' | 'left' | 'skipped' | 'failed' | 'unavailable'
  readonly detail: string
}

/** A look-up of the image check. */
export interface ReportCheck {
  /** Whom we asked: `record`, `registry`. */
  readonly what: string
  readonly outcome: 'found' | 'missing' | 'unknown' | 'skipped'
  readonly detail: string
}

/** A warning of ours; those of the builder stand in the timeline. */
export interface ReportWarning {
  readonly message: string
  readonly file?: string | undefined
  readonly line?: number | undefined
}

/** A stage of our own line, such as the content key. */
export interface ReportStage {
  readonly name: string
  readonly seconds: number
}

/** How image and cache were sent: what was expected of each leg and what it took. */
export interface ReportPublish {
  /** `parallel`, `two-clients`, `image-first`, `post`, `sequential`. */
  readonly plan: string
  readonly reason: string
  readonly legs: readonly {
    readonly name: string
    readonly predictedSeconds?: number | undefined
    readonly seconds?: number | undefined
  }[]
}

/** All that a run has to tell; what is unknown is left out. Texts are free of secrets already. */
export interface BuildReport {
  /** The image's name without tag: `registry.example/team/app`. */
  readonly image: string
  readonly digest?: Digest | undefined
  readonly tags: readonly string[]
  readonly outcome: BuildOutcome
  /** Why it was built, skipped or failed, one sentence. */
  readonly reason: string
  /** What the reader can do about a failure, one sentence. */
  readonly hint?: string | undefined
  readonly contentKey?: Digest | undefined
  /** Why no image of this content was found: what changed since the last build, one sentence. */
  readonly missed?: string | undefined
  /** Tasks that made files of the build context. */
  readonly tasks?: readonly TaskRow[] | undefined
  /** From the start of the run to its outputs. */
  readonly seconds: number
  /** What the last build took in which every step ran. */
  readonly fullSeconds?: number | undefined
  /** Against the last full build of this image. */
  readonly savedSeconds?: number | undefined
  readonly timeline?: BuildTimeline | undefined
  readonly layers: readonly ReportLayer[]
  readonly dockerfileSteps: readonly ReportDockerfileStep[]
  readonly caches: readonly ReportCache[]
  readonly checks: readonly ReportCheck[]
  readonly warnings: readonly ReportWarning[]
  /** Names and values as given; of a secret the name only, with an empty value. */
  readonly inputs: readonly (readonly [name: string, value: string])[]
  readonly pulledBytes?: number | undefined
  /** Of the layers that steps of this build made. */
  readonly pushedBytes?: number | undefined
  /** Who made the builder pull layers, the largest first. */
  readonly pulls?: readonly PullFinding[] | undefined
  /** Layers that steps of this build made, in the order of the steps. */
  readonly madeLayers?: readonly StepLayer[] | undefined
  readonly stages: readonly ReportStage[]
  readonly publish?: ReportPublish | undefined
}
