import type { Clock } from './base/clock.ts'
import type { BuildxCommand } from './buildx/builder.ts'
import type { BuildTimeline } from './buildx/progress-timeline.ts'
import type { Exec } from './exec/exec.ts'
import type { Host, RunContext } from './host/host.ts'
import type { TaskSurroundings } from './inputs/task-inputs.ts'
import type { Registry } from './registry/registry.ts'
import type { Store } from './stores/store.ts'
import type { TaskDeps } from './task-cache/task-deps.ts'

/** Shows a running build: live on a terminal, as lines in a log. */
export interface ProgressDisplay {
  update(timeline: BuildTimeline): void
  finish(timeline: BuildTimeline): void
}

/** An entry to be kept once the image is safe: a job does it in its post step, a laptop at the end of the run. */
export interface PendingSave {
  readonly key: string
  /** UTF-8 text. */
  readonly body: string
}

/** What tasks need beside it; opened when there are tasks. */
export interface TaskWorld {
  /** @throws ImageCacheError E_INPUT when the workflow's defaults for tasks are wrong */
  surroundings(): Promise<Required<TaskSurroundings>>
  open(): Promise<TaskDeps>
}

/** A builder that was made for this run. */
export interface MadeBuilder {
  readonly name: string
  readonly buildx: BuildxCommand
}

/** What a run does for builders beyond asking them. */
export interface BuilderWorld {
  /** Notes a builder to be removed at the end; never fails. */
  readonly removeLater: (builder: MadeBuilder) => void
  /** Brings buildx to this machine; undefined where nothing may be installed. @throws ImageCacheError E_BUILDER */
  readonly installBuildx: ((version: string) => Promise<BuildxCommand>) | undefined
}

/** A cache export that goes on after the step that began it. */
export interface LateExport {
  readonly command: string
  /** @param folder of the call's own files */
  readonly args: (folder: string) => readonly string[]
  /** Milliseconds that the post step waits for it. */
  readonly limit: number
  /** What it writes: type and, of a registry cache, its reference. */
  readonly exports: readonly { readonly type: string; readonly ref: string }[]
}

/** The outside world of a flow, as interfaces; `entry/` puts the real ones in. */
export interface Deps {
  readonly host: Host
  readonly context: RunContext
  readonly exec: Exec
  readonly registry: Registry
  readonly store: Store
  /** Notes an entry to be saved; never fails. */
  readonly saveLater: (save: PendingSave) => void
  readonly tasks: TaskWorld
  /** Absent where builders that are made may stay. */
  readonly builders?: BuilderWorld | undefined
  /** Begins an export that the post step finishes; absent where there is none. */
  readonly lateExports?: { start(late: LateExport): Promise<void> } | undefined
  readonly clock: Clock
  readonly display: ProgressDisplay
  /** Aborted when the run is cancelled. */
  readonly signal: AbortSignal
  /** The environment, for secrets that are named by variable. */
  readonly env: Readonly<Record<string, string | undefined>>
}
