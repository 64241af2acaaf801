import { Command, CommanderError, Option } from 'commander'
import { CHECK_INPUTS } from '../inputs/check-input-list.ts'
import { BUILD_INPUTS, type InputDescription } from '../inputs/input-list.ts'
import { buildCommand } from './build-command.ts'
import { checkCommand } from './check-command.ts'
import type { CommandWorld } from './command-world.ts'
import { keyCommand } from './key-command.ts'
import { planCommand } from './plan-command.ts'

/** Raw values of inputs by name, as the options gave them. */
export type InputValues = ReadonlyMap<string, string>

const EXAMPLES = `
Examples:
  image-cache build . --tags ghcr.io/org/app:latest --push
  image-cache build . --tags ghcr.io/org/app:dev --load --build-args VERSION=1
  image-cache plan . --svg layers.svg
  image-cache plan . --explain torch
  image-cache key . --tags ghcr.io/org/app:latest --explain
  image-cache check . --tags ghcr.io/org/app:latest
  image-cache check --images ghcr.io/org/app:1.2 --platforms linux/amd64,linux/arm64

Exit codes: 0 done, 1 failed, 2 wrong usage; of check also 3 an image is missing, 4 nobody can tell.`

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
      exitCode = await buildCommand(inputValues(context, options), options.json === true, world)
    },
  )
  addBuildOptions(program.command('plan').description('Show which packages go into which layers; nothing is built'))
    .option('--explain <package>', 'tell where one package is, why, and what its next change costs')
    .option('--svg <file>', 'write a picture of the layers with their sizes and change rates')
    .action(async (context: string | undefined, options: Record<string, unknown>) => {
      const view = { json: options.json === true, explain: textOf(options.explain), svg: textOf(options.svg) }
      exitCode = await planCommand(inputValues(context, options), view, world)
    })
  addBuildOptions(program.command('key').description('Show the content key: a hash of all that decides the image'))
    .option('--explain', 'show its parts, and what changed since the last build')
    .action(async (context: string | undefined, options: Record<string, unknown>) => {
      const wanted = { json: options.json === true, explain: options.explain === true }
      exitCode = await keyCommand(inputValues(context, options), wanted, world)
    })
  addBuildOptions(
    program.command('check').description('Tell whether the image of this build, or images by name, exist'),
    CHECK_INPUTS,
  ).action(async (context: string | undefined, options: Record<string, unknown>) => {
    exitCode = await checkCommand(inputValues(context, options, CHECK_INPUTS), options.json === true, world)
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
  return exitCode
}

function addBuildOptions(command: Command, inputs = BUILD_INPUTS): Command {
  command.argument('[context]', 'folder with the files of the build')
  for (const input of inputs) if (input.name !== 'context') command.addOption(optionFor(input))
  return command.option('--json', 'print the result as JSON').exitOverride()
}

function optionFor({ name, kind, fallback, description }: InputDescription): Option {
  const text = fallback === '' ? description : `${description} (default: ${fallback})`
  // commander reads `--no-x` as the opposite of `--x`; as an option of its own it sets `x` to false.
  if (kind === 'flag') return new Option(name.startsWith('no-') ? `--${name}` : `--${name} [true|false]`, text)
  const option = new Option(`--${name} <value>`, text)
  return kind === 'list' ? option.argParser((value: string, before: string[] = []) => [...before, value]) : option
}

function inputValues(
  context: string | undefined,
  options: Readonly<Record<string, unknown>>,
  inputs = BUILD_INPUTS,
): InputValues {
  const values = new Map<string, string>()
  if (context !== undefined) values.set('context', context)
  for (const { name, kind } of inputs) {
    const isOpposite = kind === 'flag' && name.startsWith('no-')
    const value = options[camelCase(isOpposite ? name.slice('no-'.length) : name)]
    if (isOpposite) values.set(name, String(value === false))
    else if (typeof value === 'string' || value === true) values.set(name, String(value))
    else if (Array.isArray(value)) values.set(name, value.join('\n'))
  }
  return values
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
