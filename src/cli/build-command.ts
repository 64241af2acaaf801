import { rm } from 'node:fs/promises'
import { systemClock } from '../base/clock.ts'
import { imageName } from '../flow/find-image.ts'
import { ReportDraft } from '../flow/report-draft.ts'
import { secretValues } from '../flow/secret-files.ts'
import { TerminalHost, terminalContext } from '../host/terminal-host.ts'
import { parseBuildInputs } from '../inputs/build-inputs.ts'
import { buildImage } from '../main.ts'
import { reportLines } from '../report/log-lines.ts'
import type { CommandWorld } from './command-world.ts'
import { wantsColor } from './live-progress.ts'

/** `image-cache build`: the action's line on a laptop. Answers the exit code. */
export async function buildCommand(
  inputs: ReadonlyMap<string, string>,
  json: boolean,
  world: CommandWorld,
): Promise<number> {
  const host = new TerminalHost({ messages: world.stderr, inputs, env: world.env })
  const context = terminalContext(process.cwd())
  try {
    const parsed = parseBuildInputs((name) => inputs.get(name) ?? '')
    for (const value of secretValues(parsed.secrets, world.env)) host.addSecret(value)
    const report = new ReportDraft(imageName(parsed), [], world.startedAt, systemClock)
    const isTerminal = world.stderr.isTTY === true
    const { deps, saves } = world.openDeps(parsed, {
      host,
      context,
      env: world.env,
      signal: world.signal,
      screen: isTerminal ? await openScreen() : undefined,
      color: wantsColor(world.env, isTerminal),
    })
    const result = await buildImage(parsed, deps, report)
    for (const trouble of await world.saveAll(saves, deps.store)) host.warning(trouble)
    for (const line of reportLines(result.report, world.stderr.columns)) host.info(line)
    const outputs = Object.fromEntries(result.outputs)
    world.stdout.write(
      json ? `${JSON.stringify({ ...outputs, report: result.report }, null, 2)}\n` : `${outputs.image ?? ''}\n`,
    )
    return 0
  } catch (error) {
    const failure = world.failureOf(error)
    host.error(failure.sentence)
    for (const line of [failure.hint, failure.stack]) if (line !== '') host.info(line)
    return 1
  } finally {
    await rm(context.tempDir, { recursive: true, force: true })
  }
}

/** Loaded only where there is a terminal: a job's log never needs it. */
async function openScreen(): Promise<{ (frame: string): void; clear(): void }> {
  const { logUpdateStderr } = await import('log-update')
  return logUpdateStderr
}
