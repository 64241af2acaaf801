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

/** Runs other programs. The one implementation is `spawn-exec.ts`. */
export interface Exec {
  /**
   * Runs a program to its end, whatever its exit code.
   * @throws ImageCacheError E_BUILDER when the program isn't there; E_CANCELLED when `signal` was aborted.
   */
  run(command: string, args: readonly string[], options?: ExecOptions): Promise<ExecResult>
}
