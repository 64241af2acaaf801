import type { IndexSettings } from '../python/resolution.ts'
import type { CommandObstacle, InstallCommand } from './install-command.ts'
import { meansBasePython } from './python-request.ts'
import { isSystemPreference } from './sync-command.ts'
import { uvFlag } from './uv-flag.ts'

/** What variables of the environment add to an install command. Which Python it is for is another question. */
export interface InstallEnvironment {
  readonly settings: IndexSettings
  readonly bytecode: boolean
}

/** What the command itself says of the same: an option goes before a variable. */
export type CommandSettings = IndexSettings & Pick<InstallCommand, 'installer' | 'bytecode'>

/** Variables that change nothing about what is installed and where. */
const HARMLESS = [
  ...[
    'PIP_NO_CACHE_DIR',
    'PIP_CACHE_DIR',
    'PIP_DISABLE_PIP_VERSION_CHECK',
    'PIP_ROOT_USER_ACTION',
    'PIP_DEFAULT_TIMEOUT',
  ],
  ...['PIP_TIMEOUT', 'PIP_RETRIES', 'PIP_CERT', 'PIP_PROGRESS_BAR', 'PIP_NO_INPUT', 'PIP_QUIET', 'PIP_NO_COLOR'],
  ...['PIP_PREFER_BINARY', 'PIP_NO_PYTHON_VERSION_WARNING', 'PIP_NO_WARN_SCRIPT_LOCATION'],
  ...['UV_NO_CACHE', 'UV_CACHE_DIR', 'UV_LINK_MODE', 'UV_SYSTEM_PYTHON', 'UV_COMPILE_BYTECODE', 'UV_PYTHON_DOWNLOADS'],
  ...['UV_HTTP_TIMEOUT', 'UV_NO_PROGRESS', 'UV_CONCURRENT_DOWNLOADS', 'UV_CONCURRENT_INSTALLS', 'UV_NATIVE_TLS'],
  ...['UV_PROJECT_ENVIRONMENT', 'UV_PYTHON_INSTALL_DIR', 'UV_TOOL_DIR', 'UV_TOOL_BIN_DIR', 'UV_FROZEN', 'UV_LOCKED'],
  ...[
    'UV_NO_SYNC',
    'UV_PYTHON_CACHE_DIR',
    'UV_INSTALL_DIR',
    'UV_VERSION',
    'UV_NO_DEV',
    'UV_HTTP_RETRIES',
    'UV_HTTP_CONNECT_TIMEOUT',
  ],
  // A system that guards its Python is none of those that are rewritten.
  ...['PIP_BREAK_SYSTEM_PACKAGES', 'UV_BREAK_SYSTEM_PACKAGES', 'PIP_VERBOSE', 'UV_NO_MANAGED_PYTHON'],
]
const SETTINGS = ['PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'UV_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_EXTRA_INDEX_URL']
/** Move Python's own folders, or change where bytecode lies and how it is named. */
export const PYTHON_FOLDERS = [
  ...['PYTHONUSERBASE', 'PYTHONHOME', 'PYTHONPYCACHEPREFIX', 'PYTHONPLATLIBDIR', 'PYTHONOPTIMIZE'],
]
/**
 * Weighs the variables that the command sees. PIP_* matters to pip alone, UV_* to uv alone.
 * @param env ENV, ARG and the words before the program.
 * @param pythonVersion of the base image: `3.12.4`
 * @param trusted the user's word that variables that are not known here change nothing.
 */
export function installEnvironment(
  command: CommandSettings,
  env: Readonly<Record<string, string>>,
  pythonVersion: string | undefined,
  trusted: boolean,
): InstallEnvironment | CommandObstacle {
  const prefix = command.installer === 'pip' ? 'PIP_' : 'UV_'
  const isKnown = (key: string): boolean =>
    HARMLESS.includes(key) || SETTINGS.includes(key) || keepsBasePython(key, env[key] ?? '', pythonVersion)
  const name = Object.keys(env).find((key) => PYTHON_FOLDERS.includes(key) || (key.startsWith(prefix) && !isKnown(key)))
  if (name !== undefined && !trusted)
    return { code: 'environment', sentence: `${name} is set, which changes what the command does` }

  const own = (...names: readonly string[]): readonly string[] =>
    names
      .filter((key) => key.startsWith(prefix))
      .flatMap((key) => (env[key] ?? '').split(/\s+/).filter((url) => url !== ''))
  const [index] = own('UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'PIP_INDEX_URL')
  return {
    settings: {
      indexUrl: command.indexUrl ?? index,
      extraIndexUrls: [...new Set([...own('PIP_EXTRA_INDEX_URL', 'UV_EXTRA_INDEX_URL'), ...command.extraIndexUrls])],
      findLinks: command.findLinks,
      preReleases: command.preReleases,
    },
    bytecode: command.bytecode ?? (command.installer === 'pip' || uvFlag(env.UV_COMPILE_BYTECODE)),
  }
}

/** Variables that choose a Python, where they choose the base image's own. */
function keepsBasePython(name: string, value: string, pythonVersion: string | undefined): boolean {
  if (name === 'UV_PYTHON_PREFERENCE') return isSystemPreference(value)
  return name === 'UV_PYTHON' && meansBasePython(value, pythonVersion)
}
