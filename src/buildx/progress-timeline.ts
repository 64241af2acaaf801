/** Milliseconds since the build's start; `end` is undefined while it runs. A step that is shared with another build may begin before 0. */
export interface Interval {
  readonly start: number
  readonly end: number | undefined
}

/** One go of a step. */
export interface StepInterval extends Interval {
  /** Whether a cached result was loaded in this interval, so that nothing ran. */
  readonly cached: boolean
  readonly error: string | undefined
}

/** What a part of a step reported of itself; the same id may come several times in one step. */
export interface StepStatus extends Interval {
  readonly id: string
  /** In bytes where the status counts bytes, else 0. */
  readonly current: number
  readonly total: number
}

/**
 * What a step is: `run`, `copy` (COPY and ADD) and `instruction` (WORKDIR and others with a result) are work of the
 * Dockerfile; `link` is the merge after a COPY --link, which moves no bytes.
 */
export type StepKind =
  | 'from'
  | 'run'
  | 'copy'
  | 'link'
  | 'instruction'
  | 'internal'
  | 'export'
  | 'push'
  | 'cache-export'
  | 'cache-import'
  | 'other'

/** One vertex of BuildKit's graph. */
export interface BuildStep {
  readonly digest: string
  /** As BuildKit shows it: `[deps-1 2/3] RUN pip install …`. */
  readonly name: string
  /** The name without what stands in brackets. */
  readonly text: string
  readonly kind: StepKind
  readonly stage: string | undefined
  /** `linux/arm64`, where several platforms are built. */
  readonly platform: string | undefined
  /** Digests of the steps that it needs. */
  readonly inputs: readonly string[]
  /** Ordered by start; one step may have several: a base image is resolved, then pulled; an image is created, then pushed. */
  readonly intervals: readonly StepInterval[]
  /** Whether it came from a cache: it was started and nothing ran. */
  readonly cached: boolean
  /** The error of its last interval. */
  readonly error: string | undefined
  readonly statuses: readonly StepStatus[]
  /** The last lines that its command wrote. */
  readonly logs: readonly string[]
  /** Bytes of blobs pulled for this step. */
  readonly pulledBytes: number
}

/** A part of the build with a name of its own: a push, an export, an import. */
export interface TimelineSpan extends Interval {
  readonly name: string
  /** Digest of the step that it belongs to. */
  readonly step: string
  readonly error: string | undefined
}

/** A part of a push: its layers, or its manifest. */
export interface PushSpan extends TimelineSpan {
  /** The reference that is pushed, with its digest; known once the layers are in. */
  readonly target: string | undefined
}

/** A blob that the builder downloaded; each is counted once, for the step that asked first. */
export interface BlobPull extends Interval {
  readonly blob: string
  readonly bytes: number
  readonly step: string
}

/** A build check or another warning of the builder. */
export interface BuildWarning {
  readonly message: string
  readonly detail: readonly string[]
  readonly url: string | undefined
  readonly file: string | undefined
  readonly line: number | undefined
}

/** The step that made the build fail. */
export interface FailedStep {
  readonly step: BuildStep
  readonly message: string
  /** Where buildx said that the step stands in the Dockerfile. */
  readonly place: { readonly file: string; readonly line: number } | undefined
}

/** What is known of a build from its progress stream; all times in milliseconds since its start. */
export interface BuildTimeline {
  /** The builder's clock at the build's start, milliseconds since 1970; undefined before the first step. */
  readonly startedAt: number | undefined
  /** The latest time that the stream named. */
  readonly elapsed: number
  /** Ordered by their first start; those that haven't started stand last. */
  readonly steps: readonly BuildStep[]
  /** `pushing layers` and `pushing manifest for …`; empty on BuildKit 0.28, which reports none. */
  readonly pushes: readonly PushSpan[]
  readonly cacheExports: readonly TimelineSpan[]
  readonly cacheImports: readonly TimelineSpan[]
  /** `exporting to image` and its kin, pushes included. */
  readonly exports: readonly TimelineSpan[]
  readonly pulls: readonly BlobPull[]
  /** Sum of `pulls`: blobs of images and caches; not what commands download, nor manifests. */
  readonly pulledBytes: number
  readonly warnings: readonly BuildWarning[]
  /** How long pushes and cache exports ran at the same time, in milliseconds. */
  readonly overlap: number
  /** Steps of kind `run`, `copy` and `instruction` that really ran. */
  readonly executedRuns: readonly BuildStep[]
  readonly failed: FailedStep | undefined
  /** The last lines of the stream that were plain text. */
  readonly text: readonly string[]
  /** How many entries of the stream had an unknown shape and were left out. */
  readonly malformed: number
}
