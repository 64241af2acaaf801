import { inputError } from './input-reader.ts'
import { TASK_INPUTS } from './task-input-list.ts'
import { parseTaskInputs } from './task-inputs.ts'
import { inputText, isMapping, readYaml, type YamlMapping } from './yaml-text.ts'

/** A workflow's defaults: texts of inputs by name. */
export type TaskDefaults = ReadonlyMap<string, string>

/** Where defaults are looked for in the repository. */
export const DEFAULTS_FILE = '.image-cache.yml'

const INHERITED = TASK_INPUTS.filter(({ inherits }) => inherits !== 'no')
const HINT = `Defaults are described in docs/task-cache.md, under "Defaults".`

/**
 * The defaults of all tasks of a workflow: from the file `.image-cache.yml` under `task:`, then from variables such as
 * `IMAGE_CACHE_TASK_SALT`, which take the file's place or, for lists, add to them.
 * @param file text of the file, empty when there is none
 * @throws ImageCacheError E_INPUT with everything that is wrong with them
 */
export async function parseTaskDefaults(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<TaskDefaults> {
  const [fromFile, mistakes] = file.trim() === '' ? [new Map<string, string>(), []] : await readFile(file)
  const fromEnv = new Map(INHERITED.map(({ name }) => [name, env[variableOf(name)]?.trim() ?? '']))
  mistakes.push(...check(fromEnv, variableOf))
  if (mistakes.length > 0) throw inputError(mistakes, HINT)
  return mergeDefaults(fromFile, fromEnv)
}

/** Defaults above others: they take the place of those below or, where inputs add up, stand behind them. */
export function mergeDefaults(below: TaskDefaults, above: TaskDefaults): TaskDefaults {
  return new Map(
    INHERITED.map(({ name, inherits }) => {
      const [low, high] = [below.get(name) ?? '', above.get(name) ?? '']
      return [name, inherits === 'added' ? [low, high].filter((text) => text !== '').join('\n') : high || low]
    }),
  )
}

/** Reads the defaults that stand in a mapping of YAML. @param place of the mapping, for messages */
export function readDefaults(mapping: YamlMapping, place: string): [Map<string, string>, string[]] {
  const defaults = new Map<string, string>()
  const mistakes: string[] = []
  for (const [name, node] of Object.entries(mapping)) {
    if (!INHERITED.some((input) => input.name === name)) {
      mistakes.push(
        `${place}${name}: is no input that can have a default (${INHERITED.map((one) => one.name).join(', ')})`,
      )
      continue
    }
    const text = inputText(node)
    if (typeof text === 'string') defaults.set(name, text)
    else mistakes.push(`${place}${name}: ${text.mistake}`)
  }
  return [defaults, [...mistakes, ...check(defaults, (name) => `${place}${name}`)]]
}

async function readFile(text: string): Promise<[Map<string, string>, string[]]> {
  const read = await readYaml(text)
  if (read.kind === 'broken') return [new Map(), [`${DEFAULTS_FILE}: ${read.why}`]]
  const { node } = read
  if (node === '') return [new Map(), []]
  if (!isMapping(node)) return [new Map(), [`${DEFAULTS_FILE}: is no mapping`]]
  const unknown = Object.keys(node).filter((name) => name !== 'task')
  const mistakes = unknown.map((name) => `${DEFAULTS_FILE}: ${name}: is not known, the file has one part: task`)
  if (node.task === undefined || node.task === '') return [new Map(), mistakes]
  if (!isMapping(node.task)) return [new Map(), [...mistakes, `${DEFAULTS_FILE}: task: is no mapping`]]
  const [defaults, more] = readDefaults(node.task, `${DEFAULTS_FILE}: task.`)
  return [defaults, [...mistakes, ...more]]
}

/** What a task that has nothing but these values would be refused for. */
function check(values: ReadonlyMap<string, string>, label: (name: string) => string): readonly string[] {
  const task = new Map([['name', 'task'], ['run', 'true'], ['version', '1'], ...values])
  const parsed = parseTaskInputs((name) => task.get(name) ?? '', { label })
  return parsed.kind === 'parsed' ? [] : parsed.mistakes
}

/** The variable that holds a default: `IMAGE_CACHE_TASK_MAX_AGE` for `max-age`. */
export function variableOf(name: string): string {
  return `IMAGE_CACHE_TASK_${name.toUpperCase().replaceAll('-', '_')}`
}
