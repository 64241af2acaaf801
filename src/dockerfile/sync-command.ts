import type { CommandObstacle } from './install-command.ts'
import { meansBasePython } from './python-request.ts'
import type { ShellCommand } from './shell-command.ts'
import { uvFlag } from './uv-flag.ts'

/** What `uv sync` asks for. */
export interface SyncCommand {
  /** Which packages, as arguments of `uv export`: `--no-dev`, `--extra gpu`. */
  readonly selection: readonly string[]
  /** Whether the lock file counts as it is, or must fit the project. */
  readonly lock: 'frozen' | 'checked'
  /** Whether the project itself is left out, or all members of its workspace. */
  readonly leavesOut: 'nothing' | 'project' | 'workspace'
  readonly bytecode: boolean | undefined
  /** Whether it goes into the active environment instead of the project's own. */
  readonly active: boolean
  /** Whether packages that the lock doesn't name may stay. */
  readonly inexact: boolean
}

const HARMLESS = [
  '--no-cache',
  '-n',
  '--quiet',
  '-q',
  '--verbose',
  '-v',
  '--no-progress',
  '--no-python-downloads',
  '--no-managed-python',
]
const HARMLESS_WITH_VALUE = ['--link-mode', '--cache-dir', '--color']
const SELECTION = [
  '--no-dev',
  '--dev',
  '--only-dev',
  '--all-extras',
  '--no-default-groups',
  '--all-groups',
  '--all-packages',
]
const SELECTION_WITH_VALUE = ['--extra', '--no-extra', '--group', '--no-group', '--only-group', '--package']

/** Whether a command is `uv sync`, in whatever form. */
export function isSync({ words }: ShellCommand): boolean {
  return words[0] === 'uv' && words[1] === 'sync'
}

/**
 * Reads `uv sync`. Options that aren't known to leave the result alone are obstacles.
 * @param env variables that the command sees; `UV_FROZEN` and its like count as options.
 * @param pythonVersion of the base image: `3.12.4`
 */
export function readSyncCommand(
  { words }: ShellCommand,
  env: Readonly<Record<string, string>>,
  pythonVersion: string | undefined,
): SyncCommand | CommandObstacle {
  const selection: string[] = uvFlag(env.UV_NO_DEV) ? ['--no-dev'] : []
  let lock: SyncCommand['lock'] = uvFlag(env.UV_FROZEN) ? 'frozen' : 'checked'
  let leavesOut: SyncCommand['leavesOut'] = 'nothing'
  let bytecode: boolean | undefined
  let active = false
  let inexact = false
  const args = words.slice(2).flatMap((word) => (/^--[\w-]+=/.test(word) ? splitAt(word, word.indexOf('=')) : [word]))
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    if (SELECTION.includes(word)) selection.push(word)
    else if (SELECTION_WITH_VALUE.includes(word)) selection.push(word, args[++at] ?? '')
    else if (word === '--no-install-package') selection.push('--no-emit-package', args[++at] ?? '')
    else if (word === '--frozen') lock = 'frozen'
    else if (word === '--locked') lock = 'checked'
    else if (word === '--no-install-project') leavesOut = leavesOut === 'workspace' ? leavesOut : 'project'
    else if (word === '--no-install-workspace' || word === '--no-install-local') leavesOut = 'workspace'
    else if (word === '--active' || word === '--no-active') active = word === '--active'
    else if (word === '--inexact' || word === '--exact') inexact = word === '--inexact'
    else if (word === '--python-preference' && isSystemPreference(args[at + 1])) at++
    else if ((word === '--python' || word === '-p') && meansBasePython(args[at + 1] ?? '', pythonVersion)) at++
    else if (word === '--compile-bytecode') bytecode = true
    else if (word === '--no-compile-bytecode') bytecode = false
    // Whether own packages are linked or copied matters to own packages alone.
    else if (word === '--no-editable' || HARMLESS.includes(word)) continue
    else if (HARMLESS_WITH_VALUE.includes(word)) at++
    else return { code: 'unknown-option', sentence: `uv sync ${word} is not known to leave the result the same` }
  }
  return { selection, lock, leavesOut, bytecode, active, inexact }
}

/** Whether uv looks for a Python of the system first, or only there: the base image's own. */
export function isSystemPreference(value: string | undefined): boolean {
  return value === 'system' || value === 'only-system'
}

function splitAt(word: string, at: number): readonly string[] {
  return [word.slice(0, at), word.slice(at + 1)]
}
