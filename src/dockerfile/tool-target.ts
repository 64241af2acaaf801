import { posix } from 'node:path'
import type { InstallTarget } from './dockerfile.ts'
import type { CommandObstacle } from './install-command.ts'
import { PYTHON_FOLDERS } from './install-environment.ts'
import { addedFolder, OTHER_PYTHONS } from './install-target.ts'
import type { ToolCommand } from './tool-command.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'

/** What a tool sees of the image around it. */
export interface ToolSurroundings {
  /** With the tool's own settings among them, as variables. */
  readonly env: Readonly<Record<string, string>>
  readonly workingDir: string
  /** PATH of the base image. */
  readonly basePath: string | undefined
  /** Environments that steps above have made, the newest last. */
  readonly environments: readonly VirtualEnvironment[]
}

export interface ToolTarget {
  readonly target: InstallTarget
  /** The environment that the tool itself makes where there is none. */
  readonly makes: VirtualEnvironment | undefined
}

/** Variables that change what a tool installs or how; all others of its name are about speed, looks and caches. */
const DECIDING = {
  poetry: /^POETRY_(?:INSTALLER_(?:NO_BINARY|ONLY_BINARY|MODERN_INSTALLATION|BUILD_CONFIG_SETTINGS)|EXPERIMENTAL_)/,
  pdm: /^PDM_(?!(?:CHECK_UPDATE|VERSION|HOME|CACHE_DIR|LOG_DIR|NO_CACHE|REQUEST_TIMEOUT|NON_INTERACTIVE)$)/,
  pipenv:
    /^PIPENV_(?!(?:YES|NO_?SPIN|COLORBLIND|HIDE_EMOJIS|VERBOSITY|CACHE_DIR|INSTALL_TIMEOUT|TIMEOUT|MAX_RETRIES|MAX_DEPTH|QUIET|VENV_IN_PROJECT|VERSION)$)/,
} as const

/** Packages that lie in an environment that virtualenv makes. */
const SHIPPED = ['pip', 'setuptools', 'wheel']

/** Finds out where a tool puts its packages: into the active environment, one of its own, or the system's Python. */
export function toolTarget(command: ToolCommand, around: ToolSurroundings): ToolTarget | CommandObstacle {
  const { tool } = command
  const { env, workingDir, basePath, environments } = around
  const deciding = Object.keys(env).find((name) => PYTHON_FOLDERS.includes(name) || DECIDING[tool].test(name))
  if (deciding !== undefined)
    return { code: 'environment', sentence: `${deciding} is set, which changes what ${tool} does` }
  const other = OTHER_PYTHONS.find((name) => (env[name] ?? '') !== '')
  if (other !== undefined) return unknown(`${other} is set, so the packages go to another Python`)
  const inEnvironment = ({ folder, shipped }: VirtualEnvironment, makes?: VirtualEnvironment): ToolTarget => {
    const target = { kind: 'venv', folder, python: `${folder}/bin/python`, shipped, makesEnvironment: false } as const
    return { target, makes }
  }
  const active = env.VIRTUAL_ENV ? posix.resolve(workingDir, env.VIRTUAL_ENV) : undefined
  if (active !== undefined) {
    const made = environments.findLast(({ folder }) => folder === active)
    if (made === undefined || command.system) return unknown(`no step above surely makes the environment ${active}`)
    return inEnvironment(made)
  }
  const folder = posix.join(workingDir, '.venv')
  if (command.system || (tool === 'poetry' && isOff(env.POETRY_VIRTUALENVS_CREATE))) {
    const first = addedFolder(env.PATH, basePath)
    if (environments.some((made) => made.folder === folder || first === `${made.folder}/bin`))
      return unknown(`${tool} may find an environment that a step above makes`)
    const target = {
      kind: 'system',
      folder: undefined,
      python: undefined,
      shipped: [],
      makesEnvironment: false,
    } as const
    return { target, makes: undefined }
  }
  const isInProject = {
    poetry: isOn(env.POETRY_VIRTUALENVS_IN_PROJECT),
    pdm: true,
    pipenv: isOn(env.PIPENV_VENV_IN_PROJECT),
  }
  if (!isInProject[tool])
    return unknown(`${tool} makes an environment in a folder whose name only it knows; ${ADVICE[tool]}`)
  const made = environments.findLast((environment) => environment.folder === folder)
  if (made !== undefined) return inEnvironment(made)
  const makes = { folder, python: 'python', shipped: SHIPPED }
  return inEnvironment(makes, makes)
}

const ADVICE = {
  poetry: 'set POETRY_VIRTUALENVS_IN_PROJECT=true or POETRY_VIRTUALENVS_CREATE=false',
  pdm: '',
  pipenv: 'set PIPENV_VENV_IN_PROJECT=1, or install with --system --deploy',
} as const

function isOn(value: string | undefined): boolean {
  return /^(?:1|true|yes|on)$/i.test(value ?? '')
}

function isOff(value: string | undefined): boolean {
  return /^(?:0|false)$/i.test(value ?? '')
}

function unknown(sentence: string): CommandObstacle {
  return { code: 'virtual-environment', sentence }
}
