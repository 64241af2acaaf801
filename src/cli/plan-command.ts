import { rm } from 'node:fs/promises'
import { formatBytes } from '../base/bytes.ts'
import { redact } from '../base/redact.ts'
import { findBuilder } from '../buildx/builder.ts'
import { identifyContent } from '../flow/content.ts'
import { planOutput } from '../flow/image-result.ts'
import { type PlannedDockerfile, planDockerfile } from '../flow/plan-dockerfile.ts'
import { readSource } from '../flow/source.ts'
import { TerminalHost, terminalContext } from '../host/terminal-host.ts'
import { parseBuildInputs } from '../inputs/build-inputs.ts'
import type { CommandWorld } from './command-world.ts'

/** `image-cache plan`: which packages go into which layers, and why. Builds nothing. Answers the exit code. */
export async function planCommand(
  inputs: ReadonlyMap<string, string>,
  json: boolean,
  world: CommandWorld,
): Promise<number> {
  const host = new TerminalHost({ messages: world.stderr, inputs, env: world.env })
  const context = terminalContext(process.cwd())
  try {
    const parsed = parseBuildInputs((name) => inputs.get(name) ?? '')
    const { deps } = world.openDeps(parsed, { host, context, env: world.env, signal: world.signal })
    const source = await readSource(parsed, context.workspace)
    const content = await identifyContent(parsed, source, deps.registry)
    const planned = await planDockerfile(parsed, source, content, findBuilder(deps.exec, parsed.builder), deps)
    for (const note of planned.notes) host.info(note)
    const text = json
      ? JSON.stringify({ layers: planOutput(planned), steps: planned.steps, dockerfile: redact(planned.text) }, null, 2)
      : planLines(planned).join('\n')
    world.stdout.write(`${text}\n`)
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

function planLines(planned: PlannedDockerfile): readonly string[] {
  const layers = planned.layers.flatMap(({ stage, plan }) =>
    plan.groups.map((group, index) => {
      const names = group.packages.map(({ name, version }) => `${name} ${version}`).join(', ')
      const change = `${(group.changeRate * 100).toFixed(0)} % likely to change with the next lock`
      return `layer ${index + 1} of stage ${stage}: ${formatBytes(group.size)}, ${change}\n  ${group.reason}\n  ${names}`
    }),
  )
  const steps = planned.steps.map(({ line, text, what, reason }) => `line ${line} ${what}: ${text}\n  ${reason}`)
  return [...layers, ...steps]
}
