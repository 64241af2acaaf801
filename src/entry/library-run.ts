import { rm } from 'node:fs/promises'
import type { OpenedRun } from '../cli/command-world.ts'
import { secretValues } from '../flow/secret-files.ts'
import type { Host } from '../host/host.ts'
import { TerminalHost, terminalContext } from '../host/terminal-host.ts'
import { type BuildInputs, parseBuildInputs } from '../inputs/build-inputs.ts'
import { type BuildSettings, readSettings } from '../inputs/build-settings.ts'
import { fillInputs } from '../inputs/filled-inputs.ts'
import type { ReadInput } from '../inputs/input-reader.ts'
import { withDeps } from './with-deps.ts'

/**
 * What a program may say of a run besides its settings; all of it has a default. Logins, proxies and builders are those
 * of the process's environment.
 */
export interface RunOptions {
  /** Folder that relative paths of the settings lie in; the current folder when not given. */
  readonly folder?: string
  /** Ends the run with E_CANCELLED, and every program that it has started. */
  readonly signal?: AbortSignal
  /** Takes what the command line would print to standard error, line by line, secrets masked; nothing when not given. */
  readonly log?: (line: string) => void
}

/** What a function of the library gets to work with. */
export interface LibraryRun extends OpenedRun {
  readonly inputs: BuildInputs
  readonly host: Host
}

/**
 * Runs a function of the library: settings are checked, the outside opened, temporary files removed.
 * @throws ImageCacheError E_INPUT that lists all mistakes of the settings, and what `run` throws
 */
export async function libraryRun<Result>(
  settings: BuildSettings,
  options: RunOptions,
  run: (opened: LibraryRun) => Promise<Result>,
  parse: (read: ReadInput) => BuildInputs = parseBuildInputs,
): Promise<Result> {
  const { folder = process.cwd(), signal = new AbortController().signal, log } = options
  const { env } = process
  const inputs = parse(fillInputs(readSettings(settings), env))
  const host = new TerminalHost({ messages: { write: (text) => log?.(text.replace(/\n$/, '')) } })
  for (const value of secretValues(inputs.secrets, env)) host.addSecret(value)
  const context = terminalContext(folder)
  try {
    return await withDeps(inputs, { host, context, env, signal }, (opened) => run({ inputs, host, ...opened }))
  } finally {
    await rm(context.tempDir, { recursive: true, force: true })
  }
}
