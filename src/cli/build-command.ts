import { systemClock } from '../base/clock.ts'
import { imageName } from '../flow/find-image.ts'
import { ReportDraft } from '../flow/report-draft.ts'
import { buildImage } from '../main.ts'
import { reportLines } from '../report/log-lines.ts'
import type { CommandWorld } from './command-world.ts'
import { runCommand } from './run-command.ts'

/** `image-cache build`: the action's line on a laptop. Answers the exit code. */
export function buildCommand(values: ReadonlyMap<string, string>, json: boolean, world: CommandWorld): Promise<number> {
  return runCommand(values, world, async ({ inputs, host, deps, saves }) => {
    const report = new ReportDraft(imageName(inputs), [], world.startedAt, systemClock)
    const result = await buildImage(inputs, deps, report)
    for (const trouble of await world.saveAll(saves, deps.store)) host.warning(trouble)
    for (const line of reportLines(result.report, world.stderr.columns)) host.info(line)
    const outputs = Object.fromEntries(result.outputs)
    const all = JSON.stringify({ ...outputs, report: result.report }, null, 2)
    world.stdout.write(`${json ? all : (outputs.image ?? '')}\n`)
    if (result.complaint !== undefined) throw result.complaint
  })
}
