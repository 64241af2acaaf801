import { posix } from 'node:path'
import type { InstallTarget } from './dockerfile.ts'
import type { CommandObstacle, InstallCommand } from './install-command.ts'
import type { StepUser } from './step-user.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'

/** Variables that name a Python other than the base image's, beside VIRTUAL_ENV. */
export const OTHER_PYTHONS = ['CONDA_PREFIX', 'CONDA_DEFAULT_ENV', 'PYENV_ROOT']
/** Folders that tools put before the base image's own on PATH and that hold no Python. */
const WITHOUT_PYTHON = [
  '/root/.local/bin',
  '/root/.cargo/bin',
  '/usr/local/cuda/bin',
  '/usr/local/nvidia/bin',
  '/usr/local/bin',
]
/** Where `pip install --user` puts scripts. */
const USER_SCRIPTS = /^\/home\/[\w.-]+\/\.local\/bin$/

/** What a command sees of the image around it. */
export interface TargetSurroundings {
  readonly env: Readonly<Record<string, string>>
  readonly workingDir: string
  /** PATH of the base image. */
  readonly basePath: string | undefined
  /** Environments that steps above have made, the newest last. */
  readonly environments: readonly VirtualEnvironment[]
  /** Who the command runs as; undefined: root. */
  readonly user: StepUser | undefined
}

/**
 * Finds out where an install command puts its packages: into the environment that it names, that is active, or that uv
 * finds beside the working directory; else into the system's Python.
 */
export function installTarget(command: InstallCommand, around: TargetSurroundings): InstallTarget | CommandObstacle {
  const { env } = around
  const other = OTHER_PYTHONS.find((name) => (env[name] ?? '') !== '')
  if (other !== undefined) return otherPython(`${other} is set, so the packages go to another Python`)
  const active = command.environment ?? activeEnvironment(command, around)
  if (typeof active !== 'string' && active !== undefined) return active
  if (active !== undefined) return inEnvironment(active, command, around)
  const { place } = command
  // uv takes the first `python` on PATH, and scripts name it so.
  const python = command.installer === 'uv' ? 'python' : command.python
  if (place !== undefined) return inPlace(place, around)
  // pip does so by itself where it can't write to the system's packages; uv fails.
  if (around.user !== undefined)
    return command.installer === 'pip'
      ? inPlace({ kind: 'user' }, around)
      : { code: 'not-root', sentence: `the step runs as ${around.user.owner}, and uv pip install --system needs root` }
  return { kind: 'system', folder: undefined, python, shipped: [], makesEnvironment: false }
}

function inEnvironment(
  folder: string,
  { place, python, installer }: InstallCommand,
  { environments }: TargetSurroundings,
): InstallTarget | CommandObstacle {
  const made = environments.findLast((environment) => environment.folder === folder)
  if (made === undefined) return otherPython(`no step above surely makes the environment ${folder}`)
  if (place !== undefined) return otherPython(`--${place.kind} within an environment has not been looked into`)
  const program = installer === 'uv' ? 'python' : (python ?? made.python)
  return {
    kind: 'venv',
    folder,
    python: `${folder}/bin/${program}`,
    shipped: made.shipped,
    makesEnvironment: false,
  }
}

/** The environment that the command finds by itself; undefined: the system's Python. */
function activeEnvironment(
  { installer, system, environment }: InstallCommand,
  { env, workingDir, basePath, environments }: TargetSurroundings,
): string | CommandObstacle | undefined {
  if (environment !== undefined) return environment
  const first = addedFolder(env.PATH, basePath)
  if (installer === 'pip') {
    if (first === undefined) {
      return env.VIRTUAL_ENV ? otherPython('VIRTUAL_ENV is set and its folder is not first on PATH') : undefined
    }
    const known = environments.find(({ folder }) => first === `${folder}/bin`)
    return known?.folder ?? otherPython(`PATH names ${first} first, which may hold another Python`)
  }
  if (system) {
    return first === undefined ? undefined : otherPython(`PATH names ${first} first, which may hold another Python`)
  }
  if (env.VIRTUAL_ENV) return posix.resolve(workingDir, env.VIRTUAL_ENV)
  for (let folder = workingDir; ; folder = posix.dirname(folder)) {
    const candidate = posix.join(folder, '.venv')
    if (environments.some((made) => made.folder === candidate)) return candidate
    if (folder === '/') return otherPython('uv pip install without --system needs a virtual environment')
  }
}

function inPlace(
  place: NonNullable<InstallCommand['place']>,
  around: TargetSurroundings,
): InstallTarget | CommandObstacle {
  const none = { python: undefined, shipped: [], makesEnvironment: false }
  if (place.kind === 'user') {
    if (around.env.PYTHONNOUSERSITE) return otherPython('PYTHONNOUSERSITE is set, and packages would go to a home')
    if (around.user !== undefined) return inHome(around.user)
    const home = around.env.HOME ?? '/root'
    if (home !== '/root') return otherPython(`HOME is ${home}, where --user puts the packages`)
    return { kind: 'prefix', folder: '/root/.local', ...none }
  }
  const folder = posix.resolve(around.workingDir, place.folder)
  if (!/^\/[\w./-]+$/.test(folder)) return otherPython(`--${place.kind} ${place.folder} is written in an unusual way`)
  if (folder === '/usr/local' || folder === '/usr')
    return otherPython(`--${place.kind} ${folder} mixes with the system`)
  return { kind: place.kind === 'prefix' ? 'prefix' : 'folder', folder, ...none }
}

function inHome({ owner, home }: StepUser): InstallTarget | CommandObstacle {
  if (home === undefined || !/^\/[\w./-]*\w$/.test(home))
    return { code: 'not-root', sentence: `no step tells the home of ${owner}, where the packages go` }
  return {
    kind: 'prefix',
    folder: posix.join(home, '.local'),
    python: undefined,
    shipped: [],
    makesEnvironment: false,
  }
}

/** The first folder that stands before the base image's PATH, or undefined. Folders behind it change nothing. */
export function addedFolder(path: string | undefined, basePath: string | undefined): string | undefined {
  if (path === undefined || path === basePath) return undefined
  const known = (basePath ?? '/usr/local/sbin:/usr/local/bin').split(':')
  const folders = path.split(':')
  const end = folders.indexOf(known[0] ?? '')
  return folders
    .slice(0, end < 0 ? folders.length : end)
    .find((folder) => !WITHOUT_PYTHON.includes(folder) && !USER_SCRIPTS.test(folder))
}

function otherPython(sentence: string): CommandObstacle {
  return { code: 'virtual-environment', sentence }
}
