import type { PolicyChoice } from './task-policy.ts'

/**
 * Whether a task's results are kept. `auto`: its version follows from its command and code; `override`: from the
 * version that was given; `disable`: it runs each time, nothing is read or written.
 */
export type CacheMode = 'auto' | 'override' | 'disable'

/** Something that a task depends on. */
export type TaskInput =
  /** Files by glob, path or folder, relative to the root; `!` before a pattern takes its files out again. */
  | { readonly kind: 'glob'; readonly pattern: string }
  /** A variable of the environment; `*` at the end stands for all that begin so. */
  | { readonly kind: 'env'; readonly name: string }
  /** What a command prints, such as `node --version`. */
  | { readonly kind: 'cmd'; readonly command: string }
  /** A text as it stands, such as the digest of an upstream result. */
  | { readonly kind: 'value'; readonly name: string; readonly text: string }

/** What a task leaves behind. */
export interface TaskOutputs {
  /** Files by glob, path or folder, relative to the root. */
  readonly files: readonly string[]
  /** Names of values that the task writes to `$GITHUB_OUTPUT`. */
  readonly values: readonly string[]
}

/** A task as it is to be run, complete and checked: made by `defineTask`. */
export interface TaskSpec {
  readonly name: string
  /** A script for the shell, or a program with its arguments. */
  readonly run: string | readonly string[]
  /** `bash`, `sh`, `python`, `pwsh`, or a command line with `{0}` in place of the script's file. */
  readonly shell: string
  /** Relative to the root. */
  readonly workingDirectory: string
  /** Variables for the task beside the environment; they belong to its key. */
  readonly env: Readonly<Record<string, string>>
  readonly inputs: readonly TaskInput[]
  /** They leave the key and still reach the task. */
  readonly ignoredInputs: readonly TaskInput[]
  readonly outputs: TaskOutputs
  /** Files that are the task's own source, as patterns. */
  readonly code: readonly string[]
  readonly cache: CacheMode
  readonly version: string | undefined
  /** What makes up the version beside a given one; undefined takes the mode's own. */
  readonly policies: readonly PolicyChoice[] | undefined
  readonly salt: string
  /** Seconds after which a kept result is not used any more; undefined for no limit. */
  readonly maxAge: number | undefined
  /** Bytes of output files above which a result is not kept. */
  readonly maxOutputSize: number
  /** One process computes, the others wait for its result. */
  readonly serialize: boolean
  /** Runs the task whatever is kept, and keeps the new result in its place. */
  readonly overwrite: boolean
  /** Results of different scopes never meet: repository and trust of the ref. */
  readonly scope: string
  /** Part of the key when the result depends on it: `linux/amd64`. */
  readonly platform: string | undefined
}
