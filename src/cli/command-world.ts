import type { Deps, PendingSave } from '../deps.ts'
import type { Host, RunContext } from '../host/host.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { Store } from '../stores/store.ts'

/** What the commands need of the outside; `entry/cli.ts` gives the real things. */
export interface CommandWorld {
  readonly openDeps: (
    inputs: BuildInputs,
    around: Surroundings,
  ) => { readonly deps: Deps; readonly saves: readonly PendingSave[] }
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

export interface Surroundings {
  readonly host: Host
  readonly context: RunContext
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly screen?: { (frame: string): void; clear(): void } | undefined
  readonly color?: boolean
}
