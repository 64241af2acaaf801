import type { IndexSettings } from '../python/resolution.ts'
import type { CommandObstacle, InstallCommand } from './install-command.ts'

/** What variables of the environment add to an install command. */
export interface InstallEnvironment {
  readonly settings: IndexSettings
  readonly system: boolean
  readonly bytecode: boolean
}

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
  ...['UV_NO_SYNC', 'UV_INSTALL_DIR', 'UV_VERSION', 'UV_NO_DEV'],
]
const SETTINGS = ['PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'UV_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_EXTRA_INDEX_URL']
/** Move Python's own folders or where bytecode lies. */
const PYTHON_FOLDERS = ['PYTHONUSERBASE', 'PYTHONHOME', 'PYTHONPYCACHEPREFIX', 'PYTHONPLATLIBDIR']
const OTHER_PYTHONS = ['VIRTUAL_ENV', 'CONDA_PREFIX', 'CONDA_DEFAULT_ENV', 'PYENV_ROOT']
/** Folders that tools put before the base image's own on PATH and that hold no Python. */
const WITHOUT_PYTHON = [
  '/root/.local/bin',
  '/root/.cargo/bin',
  '/usr/local/cuda/bin',
  '/usr/local/nvidia/bin',
  '/usr/local/bin',
]

/**
 * Weighs the variables that the command sees. PIP_* matters to pip alone, UV_* to uv alone.
 * @param env ENV, ARG and the words before the program.
 * @param basePath PATH of the base image.
 */
export function installEnvironment(
  command: InstallCommand,
  env: Readonly<Record<string, string>>,
  basePath: string | undefined,
): InstallEnvironment | CommandObstacle {
  const other = OTHER_PYTHONS.find((name) => (env[name] ?? '') !== '')
  if (other !== undefined)
    return { code: 'virtual-environment', sentence: `${other} is set, so the packages go to another Python` }
  const folder = addedFolder(env.PATH, basePath)
  if (folder !== undefined)
    return { code: 'virtual-environment', sentence: `PATH names ${folder} first, which may hold another Python` }
  const prefix = command.installer === 'pip' ? 'PIP_' : 'UV_'
  const name = Object.keys(env).find(
    (key) =>
      PYTHON_FOLDERS.includes(key) || (key.startsWith(prefix) && !HARMLESS.includes(key) && !SETTINGS.includes(key)),
  )
  if (name !== undefined)
    return { code: 'environment', sentence: `${name} is set, which changes what the command does` }

  const system = command.system || isOn(env.UV_SYSTEM_PYTHON)
  if (command.installer === 'uv' && !system) {
    return { code: 'virtual-environment', sentence: 'uv pip install without --system needs a virtual environment' }
  }
  const own = (...names: readonly string[]): readonly string[] =>
    names
      .filter((key) => key.startsWith(prefix))
      .flatMap((key) => (env[key] ?? '').split(/\s+/).filter((url) => url !== ''))
  const [index] = own('UV_DEFAULT_INDEX', 'UV_INDEX_URL', 'PIP_INDEX_URL')
  return {
    system,
    settings: {
      indexUrl: command.indexUrl ?? index,
      extraIndexUrls: [...new Set([...own('PIP_EXTRA_INDEX_URL', 'UV_EXTRA_INDEX_URL'), ...command.extraIndexUrls])],
      findLinks: command.findLinks,
      preReleases: command.preReleases,
    },
    bytecode: command.bytecode ?? (command.installer === 'pip' || isOn(env.UV_COMPILE_BYTECODE)),
  }
}

/** The first folder that stands before the base image's PATH, or undefined. Folders behind it change nothing. */
function addedFolder(path: string | undefined, basePath: string | undefined): string | undefined {
  if (path === undefined || path === basePath) return undefined
  const known = (basePath ?? '/usr/local/sbin:/usr/local/bin').split(':')
  const folders = path.split(':')
  const end = folders.indexOf(known[0] ?? '')
  return folders.slice(0, end < 0 ? folders.length : end).find((folder) => !WITHOUT_PYTHON.includes(folder))
}

function isOn(value: string | undefined): boolean {
  return /^(?:1|true|t|yes|y|on)$/i.test(value ?? '')
}
