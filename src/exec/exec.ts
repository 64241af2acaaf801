/** How a program is run; all of it has a default. */
export interface ExecOptions {
  readonly cwd?: string
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Written to the child's standard input, which is then closed. */
  readonly input?: string
  /** Called for each complete line as it comes, without its line end. */
  readonly onStdoutLine?: (line: string) => void
  readonly onStderrLine?: (line: string) => void
  /** Ends the child (SIGTERM, after 10 s SIGKILL) when aborted. */
  readonly signal?: AbortSignal
}

/** How a child ended. Output is kept up to the last 1 MiB of each stream. */
export interface ExecResult {
  /** The exit code, or `null` when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

export interface DetachedOptions {
  /** Gets `stdout` and `stderr` while it runs, and `exit-code`, a line, once it has ended. Must be there. */
  readonly folder: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs other programs. The one implementation is `spawn-exec.ts`. */
export interface Exec {
  /**
   * Runs a program to its end, whatever its exit code.
   * @throws ImageCacheError E_BUILDER when the program isn't there; E_CANCELLED when `signal` was aborted.
   */
  run(command: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>
}

/** Starts programs that outlive this one. */
export interface DetachedExec {
  /**
   * Starts a program that goes on when this process has ended, as the leader of a process group. Needs `sh`.
   * @returns its process id
   * @throws ImageCacheError E_BUILDER when it can't be started
   */
  startDetached(command: string, args: readonly string[], options: DetachedOptions): Promise<number>
}
