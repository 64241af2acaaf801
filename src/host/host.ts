export interface AnnotationPlace {
  readonly title?: string
  readonly file?: string
  readonly line?: number
}

/** Where the program runs and whom it talks to: a GitHub job (`github-host.ts`) or a terminal (`terminal-host.ts`). */
export interface Host {
  /** The raw text of an input, trimmed; empty when not given. */
  input(name: string): string
  output(name: string, value: string): void
  info(line: string): void
  warning(line: string, place?: AnnotationPlace): void
  error(line: string, place?: AnnotationPlace): void
  debug(line: string): void
  /** Shows lines that are folded in a job's log. */
  group(title: string, lines: readonly string[]): void
  /** From now on the value is masked in everything that this host prints. */
  addSecret(value: string): void
  /** Adds Markdown to the job's summary; a terminal has none. */
  summary(markdown: string): Promise<void>
  /** Hands a value from the main step to the post step; a terminal keeps none. */
  saveState(name: string, value: string): void
  state(name: string): string
  /** Resolves when all that was said is out; a host without it says it at once. */
  ready?(): Promise<void>
}

/** What the environment says of this run; read once, in `entry/`. */
export interface RunContext {
  /** `owner/name`, or undefined outside GitHub. */
  readonly repository: string | undefined
  readonly ref: string | undefined
  readonly commit: string | undefined
  readonly runUrl: string | undefined
  /** Whether the repository is private, as the event says; undefined when it doesn't. */
  readonly isPrivate?: boolean | undefined
  /** A folder for temporary files that this run removes at its end. */
  readonly tempDir: string
  readonly workspace: string
}
