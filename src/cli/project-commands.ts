import { Argument, type Command } from 'commander'
import { BUILD_INPUTS } from '../inputs/input-list.ts'
import type { CommandWorld } from './command-world.ts'
import { type CompletedCommand, completionScript, SHELLS } from './completion-script.ts'
import { addBuildOptions, inputValues, textOf } from './input-options.ts'

const ACTION = 'org/image-cache-action@v1'
/** What a look at the surroundings depends on. */
const DOCTOR_INPUTS: ReadonlySet<string> = new Set(['tags', 'push', 'builder', 'store'])

/** Commands that look at a project and what is around it rather than at one image. */
export function addProjectCommands(program: Command, world: CommandWorld, end: (exitCode: number) => void): void {
  addBuildOptions(
    program
      .command('doctor')
      .description('Tell what of all that a build needs works here, and what to do about the rest'),
    BUILD_INPUTS.filter(({ name }) => DOCTOR_INPUTS.has(name)),
    false,
  ).action(async (options: Record<string, unknown>) => {
    const { doctorCommand } = await import('./doctor-command.ts')
    end(await doctorCommand(inputValues(undefined, options), options.json === true, world))
  })
  program
    .command('init')
    .description('Make a workflow for the Dockerfiles of a project')
    .argument('[folder]', 'folder of the project', '.')
    .option('--image <name>', "repository of the image (default: made of git's remote)")
    .option('--platforms <list>', 'platforms with commas between them; several have a job each')
    .option('--action <uses>', 'what the workflow is to use', ACTION)
    .option('--write', 'write the files; without it they are shown')
    .option('--force', 'write over files that are there')
    .option('--json', 'print the result as JSON')
    .exitOverride()
    .action(async (folder: string, options: Record<string, unknown>) => {
      const { initCommand } = await import('./init-command.ts')
      const { image, platforms, action, write, force, json } = options
      const given = {
        folder,
        image: textOf(image),
        platforms: textOf(platforms)?.split(',') ?? [],
        action: String(action),
        ...{ write: write === true, force: force === true, json: json === true },
      }
      end(await initCommand(given, world))
    })
  program
    .command('migrate')
    .description('Let the steps of workflows that use docker/build-push-action use this action')
    .argument('[paths...]', 'workflows, or folders of workflows', ['.github/workflows'])
    .option('--action <uses>', 'what the steps are to use', ACTION)
    .option('--write', 'write the files; without it the differences are shown')
    .option('--json', 'print the result as JSON')
    .exitOverride()
    .action(async (paths: readonly string[], options: Record<string, unknown>) => {
      const { migrateCommand } = await import('./migrate-command.ts')
      const { action, write, json } = options
      const given = { action: String(action), write: write === true, json: json === true }
      end(await migrateCommand(paths, given, world))
    })
  program
    .command('completion')
    .description('Print a script that completes commands and options: eval "$(image-cache completion bash)"')
    .addArgument(new Argument('<shell>').choices([...SHELLS]))
    .exitOverride()
    .action((given: string) => {
      const shell = SHELLS.find((one) => one === given) ?? 'bash'
      world.stdout.write(completionScript(shell, completedCommands(program)))
    })
}

/** A command and all below it. */
function completedCommands(command: Command, path: readonly string[] = []): readonly CompletedCommand[] {
  const options = [...command.options.flatMap(({ long }) => (long == null ? [] : [long])), '--help']
  const names = command.commands.map((one) => one.name())
  const below = command.commands.flatMap((one) => completedCommands(one, [...path, one.name()]))
  return [{ path, options, commands: names }, ...below]
}
