import { secretValues } from '../flow/secret-files.ts'
import type { Host } from '../host/host.ts'
import { type BuildInputs, parseBuildInputs } from '../inputs/build-inputs.ts'
import { fillInputs } from '../inputs/filled-inputs.ts'
import type { ReadInput } from '../inputs/input-reader.ts'
import type { CommandWorld, OpenedRun } from './command-world.ts'
import { wantsColor } from './live-progress.ts'
import { withTerminal } from './with-terminal.ts'

/** What a command gets to work with. */
export interface CommandRun extends OpenedRun {
  readonly inputs: BuildInputs
  readonly host: Host
}

/**
 * Runs a command: inputs are checked, the outside opened, errors shown, temporary files removed.
 * @param command writes its result to standard output itself; may answer an exit code of its own
 * @returns the exit code
 */
export async function runCommand(
  values: ReadonlyMap<string, string>,
  world: CommandWorld,
  command: (run: CommandRun) => Promise<unknown>,
  parse: (read: ReadInput) => BuildInputs = parseBuildInputs,
): Promise<number> {
  return withTerminal(values, world, async (host, context) => {
    const inputs = parse(fillInputs((name) => values.get(name) ?? '', world.env))
    for (const value of secretValues(inputs.secrets, world.env)) host.addSecret(value)
    const isTerminal = world.stderr.isTTY === true
    const around = {
      host,
      context,
      env: world.env,
      signal: world.signal,
      screen: isTerminal ? await openScreen() : undefined,
      color: wantsColor(world.env, isTerminal),
    }
    const exitCode = await world.withDeps(inputs, around, (opened) => command({ inputs, host, ...opened }))
    return typeof exitCode === 'number' ? exitCode : 0
  })
}

/** Loaded only where there is a terminal: a job's log never needs it. */
async function openScreen(): Promise<{ (frame: string): void; clear(): void }> {
  const { logUpdateStderr } = await import('log-update')
  return logUpdateStderr
}
