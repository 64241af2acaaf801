import { BUILD_INPUTS, type BuildInput } from './input-list.ts'
import { inputError, type ReadInput } from './input-reader.ts'

/** What a program may give for an input, by the input's kind. A record is for lists of `NAME=VALUE`. */
export interface SettingValues {
  readonly text: string | number
  readonly flag: boolean | string
  readonly list: string | readonly string[] | Readonly<Record<string, string>>
}

/**
 * The inputs of the build action, by their names in action.yml and with its defaults; the README's table of inputs
 * describes them. A list is an array, or a text with one value a line; `NAME=VALUE` lists may be records.
 *
 * ```ts
 * const settings: BuildSettings = { context: '.', tags: ['ghcr.io/org/app:1'], 'build-args': { VERSION: '1' } }
 * ```
 */
export type BuildSettings = {
  readonly [Input in BuildInput as Input['name']]?: SettingValues[Input['kind']] | undefined
}

/**
 * Settings as the parser of inputs reads them.
 * @throws ImageCacheError E_INPUT that lists all names which are no inputs
 */
export function readSettings(settings: BuildSettings): ReadInput {
  const given = new Map(
    Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
  const names = new Set(BUILD_INPUTS.map(({ name }) => name))
  const unknown = [...given.keys()].filter((name) => !names.has(name))
  if (unknown.length > 0)
    throw inputError(
      unknown.map((name) => `${name}: there is no such input`),
      'Settings have the names of the inputs in the README, such as `build-args`.',
    )
  return (name) => textOf(given.get(name), SECRETS.has(name) ? quoted : (entry) => entry)
}

/** Lists whose entries may have several lines. */
const SECRETS: ReadonlySet<string> = new Set(['secrets', 'secret-files', 'secret-envs'])

function textOf(value: BuildSettings[BuildInput['name']], written: (entry: string) => string): string {
  if (value === undefined) return ''
  if (typeof value !== 'object') return String(value)
  const entries = Array.isArray(value) ? value : Object.entries(value).map(([name, text]) => `${name}=${text}`)
  return entries.map(written).join('\n')
}

/** A secret as docker's actions take it: in quotes, which holds its lines, quotes and spaces together. */
function quoted(entry: string): string {
  return `"${entry.replaceAll('"', '""')}"`
}
