import { formatBytes } from '../base/bytes.ts'
import { redact } from '../base/redact.ts'
import { findBuilder } from '../buildx/builder.ts'
import { identifyContent } from '../flow/content.ts'
import { planOutput } from '../flow/image-result.ts'
import { type PlannedDockerfile, planDockerfile } from '../flow/plan-dockerfile.ts'
import { readSource } from '../flow/source.ts'
import type { CommandWorld } from './command-world.ts'
import { runCommand } from './run-command.ts'

/** `image-cache plan`: which packages go into which layers, and why. Builds nothing. Answers the exit code. */
export function planCommand(values: ReadonlyMap<string, string>, json: boolean, world: CommandWorld): Promise<number> {
  return runCommand(values, world, async ({ inputs, host, deps }) => {
    const source = await readSource(inputs, deps.context.workspace)
    const content = await identifyContent(inputs, source, deps.registry)
    const planned = await planDockerfile(inputs, source, content, findBuilder(deps.exec, inputs.builder), deps)
    for (const note of planned.notes) host.info(note)
    const text = json ? planJson(planned) : planLines(planned).join('\n')
    world.stdout.write(`${text}\n`)
  })
}

function planJson(planned: PlannedDockerfile): string {
  return JSON.stringify(
    { layers: planOutput(planned), steps: planned.steps, dockerfile: redact(planned.text) },
    null,
    2,
  )
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
