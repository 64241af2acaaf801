import { rm } from 'node:fs/promises'
import type { RunContext } from '../host/host.ts'
import { TerminalHost, terminalContext } from '../host/terminal-host.ts'
import type { CommandWorld } from './command-world.ts'

/**
 * Gives a command the terminal to speak to and a place for temporary files, which are removed when it ends; shows what
 * went wrong.
 * @param values raw values of inputs by name
 * @returns the command's exit code; 1 when it failed
 */
export async function withTerminal(
  values: ReadonlyMap<string, string>,
  world: CommandWorld,
  command: (host: TerminalHost, context: RunContext) => Promise<number>,
): Promise<number> {
  const host = new TerminalHost({ messages: world.stderr, inputs: values, env: world.env })
  const context = terminalContext(process.cwd())
  try {
    return await command(host, context)
  } catch (error) {
    const failure = world.failureOf(error)
    host.error(failure.sentence)
    for (const line of [failure.hint, failure.stack]) if (line !== '') host.info(line)
    return 1
  } finally {
    await rm(context.tempDir, { recursive: true, force: true })
  }
}
