import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { CHECK_INPUTS } from '../inputs/check-input-list.ts'
import { TASK_INPUTS } from '../inputs/task-input-list.ts'
import type { CacheRequest } from './cache-command.ts'
import type { CommandWorld } from './command-world.ts'
import { addBuildOptions, camelCase, inputValues, optionFor, optionText, textOf } from './input-options.ts'
import { addProjectCommands } from './project-commands.ts'
import { REPORT_FORMATS } from './report-formats.ts'
import { LOG_CHOICES } from './tasks-display.ts'

const EXAMPLES = `
Examples:
  image-cache build . --tags ghcr.io/org/app:latest --push
  image-cache build . --tags ghcr.io/org/app:dev --load --build-args VERSION=1
  image-cache plan . --svg layers.svg
  image-cache plan . --explain torch
  image-cache key . --tags ghcr.io/org/app:latest --explain
  image-cache check . --tags ghcr.io/org/app:latest
  image-cache check --images ghcr.io/org/app:1.2 --platforms linux/amd64,linux/arm64
  image-cache suggest .
  image-cache diff ghcr.io/org/app:one ghcr.io/org/app:two
  image-cache report progress.jsonl --format html > report.html
  image-cache task --name docs --input 'docs/**' --output site -- make site
  image-cache tasks run -f tasks.yml
  image-cache cache ls
  image-cache doctor --tags ghcr.io/org/app
  image-cache init --platforms linux/amd64,linux/arm64 --write
  image-cache migrate .github/workflows

Exit codes: 0 done, 1 failed, 2 wrong usage; of check also 3 an image is missing, 4 nobody can tell; of diff 3 images
that differ.`

/**
 * The command line: the same inputs as the action, by the same names.
 * @param argv without node and script
 * @returns the exit code
 */
export async function runCli(argv: readonly string[], world: CommandWorld): Promise<number> {
  let exitCode = 0
  const program = new Command('image-cache')
    .description('Builds container images without doing the same work twice')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({ writeOut: (text) => world.stdout.write(text), writeErr: (text) => world.stderr.write(text) })
  addBuildOptions(program.command('build').description('Build the image, or put its tags where it exists')).action(
    async (context: string | undefined, options: Record<string, unknown>) => {
      const { buildCommand } = await import('./build-command.ts')
      exitCode = await buildCommand(inputValues(context, options), options.json === true, world)
    },
  )
  addBuildOptions(program.command('plan').description('Show which packages go into which layers; nothing is built'))
    .option('--explain <package>', 'tell where one package is, why, and what its next change costs')
    .option('--svg <file>', 'write a picture of the layers with their sizes and change rates')
    .action(async (context: string | undefined, options: Record<string, unknown>) => {
      const view = { json: options.json === true, explain: textOf(options.explain), svg: textOf(options.svg) }
      const { planCommand } = await import('./plan-command.ts')
      exitCode = await planCommand(inputValues(context, options), view, world)
    })
  addBuildOptions(program.command('key').description('Show the content key: a hash of all that decides the image'))
    .option('--explain', 'show its parts, and what changed since the last build')
    .action(async (context: string | undefined, options: Record<string, unknown>) => {
      const wanted = { json: options.json === true, explain: options.explain === true }
      const { keyCommand } = await import('./key-command.ts')
      exitCode = await keyCommand(inputValues(context, options), wanted, world)
    })
  addBuildOptions(
    program.command('check').description('Tell whether the image of this build, or images by name, exist'),
    CHECK_INPUTS,
  ).action(async (context: string | undefined, options: Record<string, unknown>) => {
    const { checkCommand } = await import('./check-command.ts')
    exitCode = await checkCommand(inputValues(context, options, CHECK_INPUTS), options.json === true, world)
  })
  addTaskCommand(program, world, (code) => {
    exitCode = code
  })
  addTasksCommand(program, world, (code) => {
    exitCode = code
  })
  addCacheCommands(program, world, (code) => {
    exitCode = code
  })
  addBuildOptions(
    program.command('suggest').description('Show the smallest edits by which more of the Dockerfile becomes layers'),
  ).action(async (context: string | undefined, options: Record<string, unknown>) => {
    const { suggestCommand } = await import('./suggest-command.ts')
    exitCode = await suggestCommand(inputValues(context, options), options.json === true, world)
  })
  program
    .command('diff')
    .description('Compare two images as merged file systems; exit code 3 when they differ')
    .argument('<a>', 'image in a registry')
    .argument('<b>', 'image in a registry')
    .option('--platform <value>', "platform of both images (default: this machine's)")
    .option('--json', 'print the result as JSON')
    .exitOverride()
    .action(async (a: string, b: string, options: Record<string, unknown>) => {
      const platform = typeof options.platform === 'string' ? options.platform : undefined
      const { diffCommand } = await import('./diff-command.ts')
      exitCode = await diffCommand([a, b], platform, options.json === true, world)
    })
  program
    .command('report')
    .description('Draw the report of any build from its saved progress (`buildx build --progress rawjson`)')
    .argument('<file>', 'what the build wrote to standard error; - reads standard input')
    .addOption(new Option('--format <format>', 'form of the report').choices([...REPORT_FORMATS]).default('markdown'))
    .exitOverride()
    .action(async (file: string, options: Record<string, unknown>) => {
      const { reportCommand } = await import('./report-command.ts')
      exitCode = await reportCommand(file, REPORT_FORMATS.find((one) => one === options.format) ?? 'markdown', world)
    })
  addProjectCommands(program, world, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
  return exitCode
}

function addTaskCommand(program: Command, world: CommandWorld, end: (exitCode: number) => void): void {
  const command = program
    .command('task')
    .description('Run a command, or bring its outputs back when nothing it depends on has changed')
    .argument('[command...]', 'program and arguments, behind --')
    .option('--json', 'print the result as JSON')
    .exitOverride()
  for (const input of TASK_INPUTS) command.addOption(optionFor({ ...input, name: input.option }))
  command.action(async (argv: readonly string[], options: Record<string, unknown>) => {
    const { taskCommand } = await import('./task-command.ts')
    const values = TASK_INPUTS.map(({ name, option }) => [name, optionText(options[camelCase(option)])] as const)
    end(await taskCommand(new Map(values), argv, options.json === true, world))
  })
}

function addTasksCommand(program: Command, world: CommandWorld, end: (exitCode: number) => void): void {
  const tasks = program.command('tasks').description('Run the tasks of a file as a graph').exitOverride()
  tasks
    .command('run')
    .description('Run tasks and what they need, each through the cache')
    .argument('[names...]', 'tasks to run; all when none is named')
    .option('-f, --file <path>', 'file of tasks', 'tasks.yml')
    .addOption(new Option('-c, --concurrency <number>', 'most tasks at the same time').argParser(wholeNumber))
    .option('--keep-going', 'after a failure still run what does not need the failed task')
    .option('--overwrite', 'run every task and replace what is stored')
    .addOption(new Option('--logs <which>', 'whose own lines are shown').choices([...LOG_CHOICES]).default('new'))
    .option('--json', 'print the results as JSON')
    .exitOverride()
    .action(async (names: readonly string[], options: Record<string, unknown>) => {
      const { tasksCommand } = await import('./tasks-command.ts')
      const { concurrency } = options
      const given = {
        file: String(options.file),
        concurrency: typeof concurrency === 'number' ? concurrency : undefined,
        keepGoing: options.keepGoing === true,
        overwrite: options.overwrite === true,
        logs: LOG_CHOICES.find((choice) => choice === options.logs) ?? 'new',
        json: options.json === true,
      }
      end(await tasksCommand(names, given, world))
    })
}

function addCacheCommands(program: Command, world: CommandWorld, end: (exitCode: number) => void): void {
  const cache = program.command('cache').description('Look into the local store, and tidy it').exitOverride()
  const add = (
    usage: string,
    description: string,
    request: (args: readonly string[], task?: string) => CacheRequest,
  ) => {
    const command = cache
      .command(usage)
      .description(description)
      .option('--json', 'print the result as JSON')
      .exitOverride()
    if (/^(ls|clear)/.test(usage)) command.option('--task <name>', 'entries of this task alone')
    command.action(async (...given: unknown[]) => {
      const { cacheCommand } = await import('./cache-command.ts')
      const { json, task } = command.opts<{ readonly json?: boolean; readonly task?: string }>()
      const args = given.filter((value) => typeof value === 'string')
      end(await cacheCommand(request(args, task), json === true, world))
    })
  }
  add('ls', 'List entries, the latest used first', (_, task) => ({ kind: 'ls', task }))
  add('show <key>', 'Show an entry, and what is known of a result', ([key = '']) => ({ kind: 'show', key }))
  add('why <earlier> <later>', 'Say what differs between two keys of a task', ([earlier = '', later = '']) => ({
    kind: 'why',
    earlier,
    later,
  }))
  add('clear', 'Remove entries', (_, task) => ({ kind: 'clear', task }))
  add('gc', 'Let go what is too old or too much', () => ({ kind: 'gc' }))
  add('verify', 'Compare all entries with their digests', () => ({ kind: 'verify' }))
}

function wholeNumber(text: string): number {
  const parsed = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (parsed < 1) throw new InvalidArgumentError('It must be a whole number from 1 to 9999.')
  return parsed
}
