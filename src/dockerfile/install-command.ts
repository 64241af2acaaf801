import type { RefusalCode } from './dockerfile.ts'
import type { ShellCommand } from './shell-command.ts'
import { isSystemPreference } from './sync-command.ts'

/** What an install command asks for; paths as it names them. */
export interface InstallCommand {
  readonly installer: 'pip' | 'uv'
  /** `3.12` where the program's name says so (`pip3.12`). */
  readonly pythonVersion: string | undefined
  /** `/venv` where the program is called as `/venv/bin/pip`, or uv is told `--python /venv/bin/python`. */
  readonly environment: string | undefined
  /** `python3` where pip is run as a module of it: console scripts then name that program. */
  readonly python: string | undefined
  /** Where the packages are told to go; undefined: where Python looks for them. */
  readonly place: InstallPlace | undefined
  readonly requirements: readonly string[]
  readonly constraints: readonly string[]
  readonly packages: readonly string[]
  /** What must be built or fetched from elsewhere than an index: paths, URLs, version control, editable installs. */
  readonly locals: readonly string[]
  readonly indexUrl: string | undefined
  readonly extraIndexUrls: readonly string[]
  readonly findLinks: readonly string[]
  readonly preReleases: boolean
  /** Whether only what is named is installed. */
  readonly noDeps: boolean
  /** uv's `--system`. */
  readonly system: boolean
  /** `--upgrade`: what is there already is no reason to keep it. */
  readonly upgrades: boolean
  /** `--compile` and `--no-compile`; undefined when neither is given. */
  readonly bytecode: boolean | undefined
}

/** A place of the user's own for packages: `--prefix`, `--target` with its folder, or `--user`. */
export type InstallPlace = { readonly kind: 'prefix' | 'target'; readonly folder: string } | { readonly kind: 'user' }

export interface CommandObstacle {
  readonly code: RefusalCode
  readonly sentence: string
}

type Draft = {
  -readonly [K in keyof InstallCommand]: InstallCommand[K] extends readonly string[] ? string[] : InstallCommand[K]
}
/** Takes an option's value in; a text says why it can't. */
type Effect = (draft: Draft, value: string) => CommandObstacle | undefined

/** Options that change nothing about what is installed. */
const HARMLESS = [
  ...['--no-cache-dir', '--no-cache', '-n', '--disable-pip-version-check', '--no-input', '--quiet', '-q', '--verbose'],
  ...['-v', '--no-color', '--no-warn-script-location', '--no-python-version-warning', '--no-progress'],
  // Hashes in the files are verified anyway, and a system that guards its Python is none of those that are rewritten.
  ...['--require-hashes', '--break-system-packages', '--no-warn-conflicts', '--no-python-downloads'],
  // Layers take wheels only, so a preference for them is met.
  '--prefer-binary',
]
const HARMLESS_WITH_VALUE = [
  '--root-user-action',
  '--progress-bar',
  '--cache-dir',
  '--timeout',
  '--default-timeout',
  '--retries',
  '--link-mode',
]

/** Programs of the base image that an install replaces while it runs; two versions would lie on top of each other. */
const INSTALLERS = ['pip', 'setuptools', 'wheel']

const VALUES: Readonly<Record<string, Effect>> = {
  '--requirement': (draft, value) => {
    // pip reads a lock (from 26 on), but no project.
    const isLock = /(?:^|\/)pylock(?:\.[^./]+)?\.toml$/.test(value)
    const isProject = draft.installer === 'uv' && /(?:^|\/)pyproject\.toml$/.test(value)
    if (value.endsWith('.toml') && !isLock && !isProject) return unknown(`-r ${value}`)
    return addPath(draft.requirements, value)
  },
  '--constraint': (draft, value) => addPath(draft.constraints, value),
  '--index-url': (draft, value) => {
    draft.indexUrl = value
    return undefined
  },
  '--extra-index-url': (draft, value) => {
    draft.extraIndexUrls.push(value)
    return undefined
  },
  '--find-links': (draft, value) => {
    if (!/^https?:\/\//.test(value))
      return { code: 'not-only-wheels', sentence: `--find-links ${value} is a folder of the image` }
    draft.findLinks.push(value)
    return undefined
  },
  '--prefix': (draft, value) => place(draft, { kind: 'prefix', folder: value }),
  '--target': (draft, value) => place(draft, { kind: 'target', folder: value }),
  '--editable': (draft, value) => {
    draft.locals.push(value)
    return undefined
  },
  '--python': (draft, value) => {
    const [, folder] = /^(\/.+?)(?:\/bin\/python[\d.]*)?$/.exec(value) ?? []
    if (draft.installer !== 'uv' || folder === undefined) return unknown(`--python ${value}`)
    draft.environment = folder
    return undefined
  },
  '--python-preference': (_, value) =>
    isSystemPreference(value) ? undefined : unknown(`--python-preference ${value}`),
  '--only-binary': (_, value) => (value === ':all:' ? undefined : unknown(`--only-binary ${value}`)),
  '--prerelease': (draft, value) => {
    if (value === 'allow') draft.preReleases = true
    return value === 'allow' ? undefined : unknown(`--prerelease ${value}`)
  },
}
const ALIASES: Readonly<Record<string, string>> = {
  '-r': '--requirement',
  '-c': '--constraint',
  '-i': '--index-url',
  '-f': '--find-links',
  '-t': '--target',
  '-e': '--editable',
  '-p': '--python',
  '--requirements': '--requirement',
  '--constraints': '--constraint',
  '--default-index': '--index-url',
}

/**
 * Reads an install command of pip or uv. Options that aren't known to leave the result alone are obstacles.
 * @param command quotes and variables already resolved.
 */
export function readInstallCommand({ words }: ShellCommand): InstallCommand | CommandObstacle {
  const start = installerOf(words)
  if ('code' in start) return start
  const { installer, pythonVersion } = start
  const draft: Draft = {
    installer,
    pythonVersion,
    environment: start.environment,
    python: start.python,
    place: undefined,
    requirements: [],
    constraints: [],
    packages: [],
    locals: [],
    indexUrl: undefined,
    extraIndexUrls: [],
    findLinks: [],
    preReleases: false,
    noDeps: false,
    system: false,
    upgrades: false,
    bytecode: undefined,
  }
  const args = start.args.flatMap((word) => separated(word, installer))
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    if (!word.startsWith('-') || word === '-') {
      const obstacle = addPackage(draft, word)
      if (obstacle !== undefined) return obstacle
      continue
    }
    const equals = word.startsWith('--') ? word.indexOf('=') : -1
    const given = equals < 0 ? word : word.slice(0, equals)
    const name = ALIASES[given] ?? given
    const effect = VALUES[name]
    if (effect === undefined && !HARMLESS_WITH_VALUE.includes(name)) {
      if (equals >= 0 || !applySwitch(draft, name)) return unknown(given)
      continue
    }
    const value = equals < 0 ? args[++at] : word.slice(equals + 1)
    if (value === undefined) return unknown(`${given} without a value`)
    const obstacle = effect?.(draft, value)
    if (obstacle !== undefined) return obstacle
  }
  if (draft.packages.length === 0 && draft.requirements.length === 0 && draft.locals.length === 0)
    return unknown('no packages')
  return draft
}

function applySwitch(draft: Draft, name: string): boolean {
  if (name === '--pre') draft.preReleases = true
  else if (name === '--no-deps') draft.noDeps = true
  else if (name === '--user' && draft.installer === 'pip') return place(draft, { kind: 'user' }) === undefined
  else if (name === '--system' && draft.installer === 'uv') draft.system = true
  else if (name === '--upgrade' || name === '-U') draft.upgrades = true
  else if (name === '--compile' || (name === '--compile-bytecode' && draft.installer === 'uv')) draft.bytecode = true
  else if (name === '--no-compile' || (name === '--no-compile-bytecode' && draft.installer === 'uv'))
    draft.bytecode = false
  else return HARMLESS.includes(name)
  return true
}

interface Start {
  readonly installer: 'pip' | 'uv'
  readonly pythonVersion: string | undefined
  readonly environment: string | undefined
  readonly python: string | undefined
  /** All words but the program's and `install`. */
  readonly args: readonly string[]
}

function installerOf(words: readonly string[]): Start | CommandObstacle {
  const [program = '', ...rest] = words
  const [, folder, name = program] = /^(\/.*)\/bin\/([^/]+)$/.exec(program) ?? []
  const environment = folder === '/usr/local' || /^uv$/.test(name) ? undefined : folder
  if (name.includes('/')) {
    return { code: 'virtual-environment', sentence: `${program} is not the Python that the base image puts first` }
  }
  const [, version] = /^(?:pip|python)(?:3(?:\.(\d+))?)?$/.exec(name) ?? []
  const pythonVersion = version === undefined ? undefined : `3.${version}`
  if (name === 'uv' && rest[0] === 'pip' && rest[1] === 'install')
    return { installer: 'uv', pythonVersion: undefined, environment: undefined, python: undefined, args: rest.slice(2) }
  const isPip = /^pip(?:3(?:\.\d+)?)?$/.test(name)
  const isModule = /^python(?:3(?:\.\d+)?)?$/.test(name) && rest[0] === '-m' && rest[1] === 'pip'
  const args = isModule ? rest.slice(2) : rest
  const install = args.findIndex((word) => !word.startsWith('-'))
  if ((!isPip && !isModule) || args[install] !== 'install') {
    return {
      code: 'shell-syntax',
      sentence: `the command is not simply pip install or uv pip install, it starts with ${program}`,
    }
  }
  const python = isModule ? name : undefined
  return {
    installer: 'pip',
    pythonVersion,
    environment,
    python,
    args: [...args.slice(0, install), ...args.slice(install + 1)],
  }
}

/** Short options may be joined (`-qU`) and have their value attached (`-rrequirements.txt`). */
function separated(word: string, installer: 'pip' | 'uv'): readonly string[] {
  if (!/^-[A-Za-z]./.test(word)) return [word]
  const found: string[] = []
  for (let at = 1; at < word.length; at++) {
    const option = `-${word.charAt(at)}`
    found.push(option)
    const value = word.slice(at + 1)
    if (value !== '' && /^-[rcifetp]$/.test(option))
      return [...found, installer === 'uv' ? value.replace(/^=/, '') : value]
  }
  return found
}

function addPath(paths: string[], value: string): CommandObstacle | undefined {
  if (value === '-' || value.startsWith('/dev/'))
    return { code: 'file-not-found', sentence: `${value} is no file of the build context` }
  if (value.includes('://')) return { code: 'file-not-found', sentence: `${value} is not part of the build context` }
  if (/\.(?:py|cfg)$/.test(value)) return unknown(`-r ${value}`)
  paths.push(value)
  return undefined
}

/** Names with extras, versions and markers (PEP 508); all else needs more than an index to install. */
function addPackage(draft: Draft, text: string): CommandObstacle | undefined {
  const named =
    /^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*(?:\(?\s*(?:[<>=!~]=?|===).*)?(?:;.*)?$/.exec(
      text,
    )
  if (named === null || /\.(?:whl|zip|tar|tgz|gz|bz2)$/i.test(text)) {
    draft.locals.push(text)
    return undefined
  }
  if (/[<>=~!]\s*$/.test(text)) return unknown(`${text} without a version`)
  if (INSTALLERS.includes((named[1] ?? '').toLowerCase())) {
    return { code: 'unknown-option', sentence: `${named[1]} replaces a version that comes with the base image` }
  }
  draft.packages.push(text.trim())
  return undefined
}

function place(draft: Draft, wanted: InstallPlace): CommandObstacle | undefined {
  if (draft.place !== undefined) return unknown(`--${wanted.kind} beside --${draft.place.kind}`)
  draft.place = wanted
  return undefined
}

function unknown(option: string): CommandObstacle {
  return { code: 'unknown-option', sentence: `${option} is not known to leave the result the same` }
}
