import type { Clock } from '../base/clock.ts'
import type { Exec } from '../exec/exec.ts'
import type { Store, StoreKey } from '../stores/store.ts'

/** Where a result was made. */
export interface TaskOrigin {
  /** Address or name of the run. */
  readonly run?: string
  readonly commit?: string
}

/** An entry that is kept later, in a post step: a file that must stay until then, or a small text. */
export type TaskSave =
  | { readonly key: StoreKey; readonly file: string }
  | { readonly key: StoreKey; readonly body: Uint8Array }

/** The outside world of a task. */
export interface TaskDeps {
  readonly store: Store
  readonly exec: Exec
  readonly clock: Clock
  /** The environment that the task sees. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Aborted when the run is cancelled: ends the task, keeps nothing. */
  readonly signal: AbortSignal
  /** Who this process is, for others that wait for it. */
  readonly owner: string
  /** Shows a line: what the task prints, and what the cache says. */
  readonly log: (line: string) => void
  /** Folder that all paths of a task are relative to, and that nothing is written outside of. */
  readonly root: string
  /** Folder for archives; the system's own when not given. Files handed to `saveLater` lie in it. */
  readonly temporary?: string
  /** Takes entries to be kept later. Without it, and whenever others wait for the result, they are kept at once. */
  readonly saveLater?: (save: TaskSave) => void
  /** Folder that remembers digests of files by their size and times; without it every file is read. */
  readonly statCacheFolder?: string
  /** Values that must not be kept or shown. */
  readonly secrets?: readonly string[]
  readonly origin?: TaskOrigin
  /** Seconds to wait for another process that computes the same; 1 hour when not given. */
  readonly waitLimit?: number
  /** Seconds between signs of life of a process that computes; 15 when not given. */
  readonly heartbeat?: number
}
