import type { Deps, PendingSave } from '../deps.ts'
import type { Host, RunContext } from '../host/host.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { TaskSurroundings } from '../inputs/task-inputs.ts'
import type { Store } from '../stores/store.ts'
import type { StoreSetting } from '../stores/store-setting.ts'
import type { TaskDeps } from '../task-cache/task-deps.ts'

/** What the commands need of the outside; `entry/cli.ts` gives the real things. */
export interface CommandWorld {
  /** Opens the outside for one run, and tidies up after it. */
  readonly withDeps: <Result>(
    inputs: BuildInputs,
    around: Surroundings,
    run: (opened: OpenedRun) => Promise<Result>,
  ) => Promise<Result>
  readonly openTaskDeps: (options: TaskDepsOptions) => TaskDeps
  /** Defaults and requests that hold for all tasks of a run. */
  readonly taskSurroundings: (
    context: RunContext,
    env: Readonly<Record<string, string | undefined>>,
  ) => Promise<Required<TaskSurroundings>>
  readonly saveAll: (saves: readonly PendingSave[], store: Store) => Promise<readonly string[]>
  readonly failureOf: (error: unknown) => { readonly sentence: string; readonly hint: string; readonly stack: string }
  readonly signal: AbortSignal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: { write(text: string): unknown }
  readonly stderr: {
    write(text: string): unknown
    readonly isTTY?: boolean
    readonly columns?: number
    readonly rows?: number
  }
  /** Milliseconds since 1970 at which the process began. */
  readonly startedAt: number
}

/** The outside of a run, and what is to be kept once it has gone well. */
export interface OpenedRun {
  readonly deps: Deps
  readonly saves: readonly PendingSave[]
}

export interface Surroundings {
  readonly host: Host
  readonly context: RunContext
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly screen?: { (frame: string): void; clear(): void } | undefined
  readonly color?: boolean
  /** Whether what tasks made can be kept later, in a step after all others. */
  readonly hasPostStep?: boolean
}

export interface TaskDepsOptions {
  readonly host: Host
  readonly context: RunContext
  readonly store: StoreSetting
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  /** Folder for archives, which must be there. */
  readonly temporary: string
}
