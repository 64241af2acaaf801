import { type Command, Option } from 'commander'
import { BUILD_INPUTS, type InputDescription } from '../inputs/input-list.ts'

/** Raw values of inputs by name, as the options gave them. */
export type InputValues = ReadonlyMap<string, string>

/** Gives a command an option for each input, by the input's name. */
export function addBuildOptions(command: Command, inputs = BUILD_INPUTS, hasContext = true): Command {
  if (hasContext) command.argument('[context]', 'folder with the files of the build')
  for (const input of inputs) if (input.name !== 'context') command.addOption(optionFor(input))
  return command.option('--json', 'print the result as JSON').exitOverride()
}

export function optionFor({ name, kind, fallback, description }: InputDescription): Option {
  const text = fallback === '' ? description : `${description} (default: ${fallback})`
  // commander reads `--no-x` as the opposite of `--x`; as an option of its own it sets `x` to false.
  if (kind === 'flag') return new Option(name.startsWith('no-') ? `--${name}` : `--${name} [true|false]`, text)
  const option = new Option(`--${name} <value>`, text)
  // The opposite of nothing begins as true.
  const add = (value: string, before: unknown) => [...(Array.isArray(before) ? before : []), value]
  return kind === 'list' ? option.argParser(add) : option
}

/** What the options said, as the inputs' own texts. */
export function inputValues(
  context: string | undefined,
  options: Readonly<Record<string, unknown>>,
  inputs = BUILD_INPUTS,
): InputValues {
  const values = new Map<string, string>()
  if (context !== undefined) values.set('context', context)
  for (const { name, kind } of inputs) {
    const isOpposite = name.startsWith('no-')
    const value = options[camelCase(isOpposite ? name.slice('no-'.length) : name)]
    if (isOpposite && kind === 'flag') values.set(name, String(value === false))
    else if (typeof value === 'string' || (value === true && !isOpposite)) values.set(name, String(value))
    else if (Array.isArray(value)) values.set(name, value.join('\n'))
  }
  return values
}

/** The text of an option, its values as lines. */
export function optionText(value: unknown): string {
  if (Array.isArray(value)) return value.join('\n')
  return typeof value === 'string' || value === true ? String(value) : ''
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The name that commander gives the value of an option. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
