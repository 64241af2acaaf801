import type { LockSelection } from '../python/lock-pins.ts'
import type { LockTool } from '../python/tool-lock.ts'
import type { CommandObstacle } from './install-command.ts'
import type { ShellCommand } from './shell-command.ts'

/** What `poetry install`, `pdm sync` and their like ask for. */
export interface ToolCommand {
  readonly tool: LockTool
  readonly selection: LockSelection
  readonly lock: 'frozen' | 'checked'
  readonly leavesOut: 'nothing' | 'project'
  /** Into the Python that the tool finds first, whatever its settings say. */
  readonly system: boolean
  /** `--compile` of poetry. */
  readonly bytecode: boolean
}

/** The files of a project of each tool. */
export const TOOL_FILES: Readonly<Record<LockTool, { readonly lock: string; readonly project: string }>> = {
  poetry: { lock: 'poetry.lock', project: 'pyproject.toml' },
  pdm: { lock: 'pdm.lock', project: 'pyproject.toml' },
  pipenv: { lock: 'Pipfile.lock', project: 'Pipfile' },
}

type Draft = {
  with: string[]
  without: string[]
  only: string[] | undefined
  extras: string[] | 'all'
  lock: ToolCommand['lock']
  leavesOut: ToolCommand['leavesOut']
  system: boolean
  bytecode: boolean
}
type Option = (draft: Draft, value: string) => void

/** How a tool is told what to install. */
interface Grammar {
  readonly commands: readonly string[]
  /** Change nothing about what is installed. */
  readonly harmless: readonly string[]
  readonly switches: Readonly<Record<string, Option>>
  readonly values: Readonly<Record<string, Option>>
  readonly begin: Partial<Draft>
}

const words = (value: string): readonly string[] => value.split(/[\s,]+/).filter((word) => word !== '')
const extras: Option = (draft, value) => {
  if (draft.extras !== 'all') draft.extras.push(...words(value))
}
const allExtras: Option = (draft) => {
  draft.extras = 'all'
}
const more: Option = (draft, value) => void draft.with.push(...words(value))
const less: Option = (draft, value) => void draft.without.push(...words(value))
const noProject: Option = (draft) => {
  draft.leavesOut = 'project'
}
const frozen: Option = (draft) => {
  draft.lock = 'frozen'
}

const GRAMMARS: Readonly<Record<LockTool, Grammar>> = {
  poetry: {
    commands: ['install'],
    harmless: [
      '--no-interaction',
      '-n',
      '--no-ansi',
      '--ansi',
      '--no-cache',
      '--quiet',
      '-q',
      '-v',
      '-vv',
      '-vvv',
      '--verbose',
    ],
    switches: {
      '--no-root': noProject,
      '--no-dev': (draft) => void draft.without.push('dev'),
      '--all-extras': allExtras,
      '--compile': (draft) => {
        draft.bytecode = true
      },
    },
    values: {
      '--only': (draft, value) => {
        draft.only = [...(draft.only ?? []), ...words(value)]
      },
      '--with': more,
      '--without': less,
      '--extras': extras,
      '-E': extras,
    },
    begin: {},
  },
  pdm: {
    commands: ['sync', 'install'],
    harmless: ['--quiet', '-q', '-v', '-vv', '--verbose', '--no-isolation', '--fail-fast', '-x', '--no-editable'],
    switches: {
      '--no-self': noProject,
      '--prod': (draft) => void draft.without.push('dev'),
      '--production': (draft) => void draft.without.push('dev'),
      '--no-default': (draft) => void draft.without.push('default'),
      '--frozen-lockfile': frozen,
      '--no-lock': frozen,
    },
    values: { '-G': more, '--group': more, '--with': more, '--without': less },
    begin: {},
  },
  pipenv: {
    commands: ['install', 'sync'],
    harmless: ['--quiet', '-q', '--verbose', '-v', '--clear', '--bare', '--deploy'],
    switches: {
      '--system': (draft) => {
        draft.system = true
      },
      '--ignore-pipfile': frozen,
      '--dev': (draft) => void draft.with.push('develop'),
      '-d': (draft) => void draft.with.push('develop'),
    },
    values: {},
    // pipenv installs no project unless it stands in the Pipfile itself.
    begin: { leavesOut: 'project' },
  },
}

/** Whether a command installs what a lock of poetry, pdm or pipenv says. */
export function isToolInstall({ words: [program = '', command = ''] }: ShellCommand): boolean {
  const tool = toolOf(program)
  return tool !== undefined && GRAMMARS[tool].commands.includes(command)
}

/** Reads such a command. Options that aren't known to leave the result alone are obstacles. */
export function readToolCommand({
  words: [program = '', command = '', ...given],
}: ShellCommand): ToolCommand | CommandObstacle {
  const tool = toolOf(program)
  if (tool === undefined) throw new RangeError(`${program} installs nothing from a lock`)
  const grammar = GRAMMARS[tool]
  const draft: Draft = {
    ...{ with: [], without: [], only: undefined, extras: [] },
    ...{ lock: 'checked', leavesOut: 'nothing', system: false, bytecode: false },
    ...grammar.begin,
  }
  if (tool !== 'poetry' && command === 'sync') draft.lock = 'frozen'
  for (let at = 0; at < given.length; at++) {
    const word = given[at] ?? ''
    const equals = word.startsWith('--') ? word.indexOf('=') : -1
    const name = equals < 0 ? word.replace(/^(-[EG]).+$/s, '$1') : word.slice(0, equals)
    const effect = grammar.values[name]
    if (effect !== undefined)
      effect(draft, equals < 0 ? (word === name ? (given[++at] ?? '') : word.slice(2)) : word.slice(equals + 1))
    else if (equals < 0 && grammar.switches[name] !== undefined) grammar.switches[name](draft, '')
    else if (!grammar.harmless.includes(name))
      return {
        code: 'unknown-option',
        sentence: `${tool} ${command} ${name} is not known to leave the result the same`,
      }
  }
  if (tool === 'pdm' && draft.lock === 'checked')
    return {
      code: 'unknown-option',
      sentence: 'pdm install may lock anew; pdm sync or --frozen-lockfile takes the lock as it is',
    }
  const { with: more, without, only, extras } = draft
  const { lock, leavesOut, system, bytecode } = draft
  return { tool, selection: { with: more, without, only, extras }, lock, leavesOut, system, bytecode }
}

/** `poetry`, wherever it lies. */
function toolOf(program: string): LockTool | undefined {
  const name = program.slice(program.lastIndexOf('/') + 1)
  return name === 'poetry' || name === 'pdm' || name === 'pipenv' ? name : undefined
}

/** A requirements file that a tool writes from its lock. */
export interface ExportCommand {
  readonly tool: LockTool
  readonly selection: LockSelection
  readonly lock: 'frozen' | 'checked'
  readonly hasHashes: boolean
  /** As the command names it; undefined: standard output. */
  readonly output: string | undefined
}

/** Reads `poetry export`, `pdm export` and `pipenv requirements`; undefined where it is anything else, or not understood. */
export function readExportCommand({
  words: [program = '', command = '', ...given],
}: ShellCommand): ExportCommand | undefined {
  const tool = toolOf(program)
  if (tool === undefined || command !== EXPORTS[tool].command) return undefined
  let output: string | undefined
  let hasHashes = tool !== 'pipenv'
  const rest: string[] = []
  for (let at = 0; at < given.length; at++) {
    const word = given[at] ?? ''
    const [name = '', value] = /^(--[\w-]+)=(.*)$/s.exec(word)?.slice(1) ?? [word]
    if (name === '-o' || name === '--output') output = value ?? given[++at]
    else if (name === '-f' || name === '--format') {
      if (!/^requirements(?:\.txt)?$/.test(value ?? given[++at] ?? '')) return undefined
    } else if (name === '--without-hashes' || name === '--no-hashes') hasHashes = false
    else if (name === '--hash' && tool === 'pipenv') hasHashes = true
    else if (name === '--dev' && tool === 'poetry') rest.push('--with', 'dev')
    else rest.push(word)
  }
  const read = readToolCommand({ words: [program, EXPORTS[tool].like, ...rest], assignments: {} })
  if ('code' in read) return undefined
  const { selection } = read
  // poetry exports no other groups unless they are named.
  const only = selection.only ?? ['main', ...selection.with].filter((group) => !selection.without.includes(group))
  return { tool, selection: tool === 'poetry' ? { ...selection, only } : selection, lock: read.lock, hasHashes, output }
}

/** Each tool's command, and the one that takes the same options. */
const EXPORTS = {
  poetry: { command: 'export', like: 'install' },
  pdm: { command: 'export', like: 'sync' },
  pipenv: { command: 'requirements', like: 'sync' },
} as const
