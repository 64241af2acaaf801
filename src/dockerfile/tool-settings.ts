import { posix } from 'node:path'
import type { CommandObstacle } from './install-command.ts'
import { originOf } from './locate-in-context.ts'
import { runText } from './run-text.ts'
import { readShellChain } from './shell-chain.ts'
import { readShellCommand, type ShellCommand } from './shell-command.ts'
import type { StepPlace } from './step-place.ts'

type Variables = Readonly<Record<string, string>>

/**
 * `poetry config virtualenvs.create false` as the variable that says the same; undefined for all else. What it writes
 * lies in the home folder, or for `--local` in poetry.toml, and holds for the steps below, too.
 */
export function configuredVariable({ words }: ShellCommand): Variables | undefined {
  const [program = '', command, ...rest] = words.filter((word) => word !== '--local')
  if (posix.basename(program) !== 'poetry' || command !== 'config') return undefined
  const [key = '', value = '', ...more] = rest
  if (!/^[a-z][\w.-]*$/.test(key) || value === '') return undefined
  // A login has a user and a password, and says nothing of what is installed.
  if (more.length > 0) return /^(?:http-basic|pypi-token|certificates)\./.test(key) ? {} : undefined
  return { [variableOf(key)]: value }
}

/**
 * A shell command that leaves what `poetry config` leaves, for where poetry itself isn't there yet: its settings file, as
 * poetry 1.4 to 2.5 writes it where there is none. Undefined where that isn't known.
 */
export function writtenSetting({ words }: ShellCommand, env: Variables): string | undefined {
  const [, , key = '', value = '', ...more] = words
  const [, setting] = /^virtualenvs\.(create|in-project)$/.exec(key) ?? []
  const isUsual = (env.HOME ?? '/root') === '/root' && !env.XDG_CONFIG_HOME && !env.POETRY_CONFIG_DIR
  if (setting === undefined || !/^(?:true|false)$/.test(value) || more.length > 0 || !isUsual) return undefined
  const file = '/root/.config/pypoetry/config.toml'
  const text = `'[virtualenvs]\\n${setting} = ${value}\\n'`
  return `mkdir -p ${posix.dirname(file)} && printf ${text} > ${file} && chmod 600 ${file}`
}

function variableOf(key: string): string {
  return `POETRY_${key.replace(/[.-]/g, '_').toUpperCase()}`
}

/** What `poetry config` in the steps above and poetry.toml set, as variables. */
export function poetrySettings(
  workingDir: string,
  { index, walk, graph, view }: StepPlace,
): Variables | CommandObstacle {
  const settings: Record<string, string> = {}
  for (const { instruction, before } of walk.steps.slice(0, index)) {
    const { keyword, json, lines } = instruction
    const text = runText(instruction)
    if (keyword !== 'RUN' || !/\bpoetry['"]?\s+config\b/.test(text)) continue
    const chain = json === undefined ? readShellChain(instruction) : { commands: [text] }
    const unclear = `line ${lines.first} configures poetry in a way that is not understood`
    if ('code' in chain) return { code: 'environment', sentence: unclear }
    for (const command of chain.commands.filter((one) => /\bpoetry['"]?\s+config\b/.test(one))) {
      const read = readShellCommand(command, (name) => before.env[name])
      const found = 'code' in read ? undefined : configuredVariable(read)
      if (found === undefined) return { code: 'environment', sentence: unclear }
      Object.assign(settings, found)
    }
  }
  const origin = originOf(posix.join(workingDir, 'poetry.toml'), walk.steps, index, graph, view.contextFiles)
  const text = origin.kind === 'context' ? view.projectFiles?.get(origin.path) : ''
  if (text === undefined || origin.kind === 'unknown')
    return { code: 'environment', sentence: 'poetry.toml has settings that are not known' }
  return { ...settings, ...localSettings(text) }
}

/** Tables with plain values, which is all that poetry writes there. */
function localSettings(text: string): Variables {
  let table = ''
  const settings: Record<string, string> = {}
  for (const line of text.split(/\r?\n/)) {
    table = /^\s*\[([\w.-]+)\]/.exec(line)?.[1] ?? table
    const [, key, value] = /^\s*([\w.-]+)\s*=\s*["']?([^"'#]*?)["']?\s*(?:#.*)?$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) settings[variableOf(table === '' ? key : `${table}.${key}`)] = value
  }
  return settings
}
