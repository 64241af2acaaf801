import { checkImages } from '../check.ts'
import { allExist, checkJson, checkNotes } from '../flow/check-result.ts'
import { parseCheckInputs } from '../inputs/check-inputs.ts'
import { fillInputs } from '../inputs/filled-inputs.ts'
import { checkLines } from '../report/check-report.ts'
import type { CommandWorld } from './command-world.ts'
import { type CommandRun, runCommand } from './run-command.ts'

/** 0 and 1 and 2 mean for all commands that it went well, that it failed, and that it was called wrongly. */
const EXIT_CODES = { true: 0, false: 3, unknown: 4 } as const

/**
 * `image-cache check`: whether images exist. Answers the exit code: 0 all are there, 3 one is missing, 4 nobody can tell,
 * 1 for an error.
 */
export function checkCommand(values: ReadonlyMap<string, string>, json: boolean, world: CommandWorld): Promise<number> {
  const check = async ({ host, deps, saves }: CommandRun): Promise<number> => {
    const images = await checkImages(parseCheckInputs(fillInputs((name) => values.get(name) ?? '', world.env)), deps)
    for (const trouble of await world.saveAll(saves, deps.store)) host.warning(trouble)
    for (const note of checkNotes(images)) host.warning(note)
    const exists = allExist(images)
    const text = json ? JSON.stringify({ exists, images: checkJson(images) }, null, 2) : checkLines(images).join('\n')
    world.stdout.write(`${text}\n`)
    return EXIT_CODES[exists]
  }
  return runCommand(values, world, check, (read) => parseCheckInputs(read).build)
}
