import { posix } from 'node:path'
import { isWithin } from './copy-step.ts'
import type { ShellCommand } from './shell-command.ts'
import { configuredVariable } from './tool-settings.ts'

/** What a command beside an install means for it. */
export type Bystander =
  /** It changes nothing that the image keeps, once the install is gone: `set -e`, `pip cache purge`. */
  | { readonly kind: 'nothing' }
  /** It removes all of root's cache folder: what an install leaves there, and whatever else lies there. */
  | { readonly kind: 'clears-cache' }
  /** It has an effect of its own and neither needs the packages nor changes them: it may run before the layers. */
  | { readonly kind: 'independent' }
  /** It changes what later commands of the same step see. */
  | {
      readonly kind: 'settings'
      readonly env: Readonly<Record<string, string>>
      readonly workingDir?: string
      /** It is written down in the image, too. */
      readonly stays?: boolean
    }
  | { readonly kind: 'unknown' }

const NOTHING: Bystander = { kind: 'nothing' }
const INDEPENDENT: Bystander = { kind: 'independent' }
const UNKNOWN: Bystander = { kind: 'unknown' }

/** Programs of the system that neither read nor write Python's folders. */
const INDEPENDENT_PROGRAMS = new Set([
  ...['apt-get', 'apt', 'apk', 'groupadd', 'addgroup', 'update-ca-certificates', 'locale-gen', 'update-locale'],
  'dpkg-reconfigure',
])
/** Programs that write a user's home beside the lists of users. */
const OF_USERS = new Set(['useradd', 'adduser', 'usermod'])
/** Programs that touch only what they are given by name. */
const BY_NAME = new Set(['rm', 'mkdir', 'chown', 'chmod', 'touch', 'ls'])
const WITHOUT_EFFECT = new Set(['true', ':', 'echo', 'printf', 'whoami', 'id', 'date', 'uname', 'sleep', 'pwd'])
/** Caches that installers fill: where nothing is installed nothing need be removed. */
const INSTALLER_CACHE = /^(?:\/root|\/home\/[\w.-]+|~|\$HOME)\/\.cache\/(?:pip|uv|pypoetry|pdm|pipenv)(?:\/.*|\*)?$/
const WHOLE_CACHE = /^(?:\/root|~|\$HOME)\/\.cache(?:\/\*?)?$/

/** A command of a step beside the install, as it was read. */
export interface BesideCommand {
  /** Its text, for the shell. */
  readonly text: string
  /** Undefined when its words can't be told. */
  readonly command: ShellCommand | undefined
}

/**
 * Says what a command beside an install does, as far as that is known for sure.
 * @param target folder into which packages go, absolute; undefined when it is Python's own.
 * @param env variables that the command sees.
 */
export function bystander(
  { text, command }: BesideCommand,
  workingDir: string,
  target: string,
  env: Readonly<Record<string, string>>,
): Bystander {
  const plain = text.replace(/\s+/g, ' ')
  if (
    /^set (?:-[euxo]+|-o (?:errexit|pipefail|nounset|xtrace))(?: (?:-[euxo]+|-o (?:errexit|pipefail|nounset|xtrace)|pipefail))*$/.test(
      plain,
    )
  )
    return NOTHING
  if (
    /^(?:pip3?|python3? -m pip) cache purge$|^uv cache (?:clean|prune)$|^(?:poetry cache clear|pdm cache clear|pipenv --clear)\b[\w .:*-]*$|^(?:pip3?|uv|python3?) (?:--version|-V)$/.test(
      plain,
    )
  )
    return NOTHING
  const removed = /^rm -(?:rf|fr|r|f)(?: \S+)+$/.test(plain) ? plain.split(' ').slice(2) : []
  if (removed.length > 0 && removed.every((word) => INSTALLER_CACHE.test(word) || WHOLE_CACHE.test(word)))
    return removed.some((word) => WHOLE_CACHE.test(word)) ? { kind: 'clears-cache' } : NOTHING
  // Patterns are fine for programs that are given paths: what they may match is looked at below.
  const words = command?.words ?? patternWords(plain)
  if (words === undefined) return UNKNOWN
  const [program = '', ...rest] = words
  if (command !== undefined) {
    const settings = settingsOf(command, workingDir, env)
    if (settings?.kind === 'settings' && target !== '/' && isWithin(settings.workingDir ?? '/', target)) return UNKNOWN
    if (settings !== undefined) return settings
    if (WITHOUT_EFFECT.has(program)) return NOTHING
    if (INDEPENDENT_PROGRAMS.has(program)) return INDEPENDENT
    if (OF_USERS.has(program)) return homesOf(rest).some((path) => meets(path, target)) ? UNKNOWN : INDEPENDENT
    // It notes the libraries of /usr/local/lib, which packages may bring.
    if (program === 'ldconfig') return target === '/usr/local' ? UNKNOWN : INDEPENDENT
  }
  if (!BY_NAME.has(program) || rest.some((word) => word.startsWith('--reference'))) return UNKNOWN
  const paths = rest.filter((word) => !word.startsWith('-')).map((word) => posix.resolve(workingDir, word))
  const touches = paths.some((path) => meets(path, target) || meets(path, '/usr/local/lib') || path.includes('$'))
  return touches ? UNKNOWN : INDEPENDENT
}

/** Paths that a command about users names, and the folder in which homes are made where it names none. */
function homesOf(words: readonly string[]): readonly string[] {
  return ['/home/*', ...words.flatMap((word) => /^(?:-\w|--[\w-]+=)?(\/.*)$/.exec(word)?.[1] ?? [])]
}

/** Words of a plain command with patterns in them: `rm -rf /var/lib/apt/lists/*`. */
function patternWords(plain: string): readonly string[] | undefined {
  return /^[\w./*?~ =:,+-]+$/.test(plain) ? plain.split(' ') : undefined
}

function settingsOf(
  { words, assignments }: ShellCommand,
  workingDir: string,
  env: Readonly<Record<string, string>>,
): Bystander | undefined {
  const [program = '', first, ...more] = words
  if (program === '' && Object.keys(assignments).length > 0) return UNKNOWN
  if (program === 'cd' && first !== undefined && more.length === 0 && /^[\w./-]+$/.test(first) && first !== '-') {
    return { kind: 'settings', env: {}, workingDir: posix.resolve(workingDir, first) }
  }
  const configured = configuredVariable({ words, assignments })
  if (configured !== undefined) return { kind: 'settings', env: configured, stays: true }
  if (program === 'export') {
    const pairs = words.slice(1).map((word) => /^([A-Za-z_]\w*)=(.*)$/s.exec(word))
    if (!pairs.every((pair) => pair !== null)) return UNKNOWN
    return { kind: 'settings', env: Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value])) }
  }
  const [, venv] = /^(\/[\w./-]+|[\w./-]+)\/bin\/activate$/.exec(first ?? '') ?? []
  if ((program === '.' || program === 'source') && venv !== undefined && more.length === 0) {
    const folder = posix.resolve(workingDir, venv)
    return { kind: 'settings', env: { VIRTUAL_ENV: folder, PATH: `${folder}/bin:${env.PATH ?? ''}` } }
  }
  return undefined
}

/** Whether one lies in the other, patterns taken as anything. */
function meets(path: string, folder: string): boolean {
  const fixed = path.replace(/[*?[].*$/, '')
  return (
    isWithin(folder, path) ||
    isWithin(path, folder) ||
    (fixed !== path && (folder.startsWith(fixed) || isWithin(fixed, folder)))
  )
}
