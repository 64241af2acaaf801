import { shellWord } from '../base/shell-word.ts'
import type { LockedProject } from './dockerfile.ts'
import type { CommandObstacle } from './install-command.ts'
import { runText } from './run-text.ts'
import type { InstallCall } from './step-commands.ts'
import { locateProject } from './step-files.ts'
import type { StepPlace } from './step-place.ts'
import { readToolCommand, TOOL_FILES, type ToolCommand } from './tool-command.ts'
import { poetrySettings } from './tool-settings.ts'
import { type ToolTarget, toolTarget } from './tool-target.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'

/** What an install by poetry, pdm or pipenv comes to. */
export interface ToolInstall extends Pick<ToolTarget, 'target'> {
  readonly project: LockedProject
  readonly bytecode: boolean
  /** The environment that the tool makes itself, and the command that makes it without packages. */
  readonly makes: { readonly environment: VirtualEnvironment; readonly command: string } | undefined
}

/** Reads an install by poetry, pdm or pipenv; an obstacle says why the step has to stay. */
export function readToolInstall(call: InstallCall, place: StepPlace): ToolInstall | CommandObstacle {
  const { command, workingDir } = call
  const read = readToolCommand(command)
  if ('code' in read) return read
  const { tool, selection, lock, leavesOut } = read
  const settings = tool === 'poetry' ? poetrySettings(workingDir, place) : {}
  if (isObstacle(settings)) return settings
  const old = tool === 'poetry' ? oldPoetry(call, place) : undefined
  if (old !== undefined) return old
  if (
    tool === 'pdm' &&
    place.walk.steps.some(({ instruction: { rest } }) => /__pypackages__|\bpdm\s+(?:config|use)\b/.test(rest))
  )
    return { code: 'virtual-environment', sentence: 'pdm is told to use another place than the environment .venv' }
  const found = toolTarget(read, {
    env: { ...settings, ...call.env },
    workingDir,
    basePath: place.walk.root?.env.PATH,
    environments: place.environments,
  })
  if ('code' in found) return found
  const files = locateProject(TOOL_FILES[tool], workingDir, place)
  if ('code' in files) return files
  const bytecode = leavesBytecode(read)
  return {
    target: found.target,
    project: {
      tool,
      folder: workingDir,
      ...files,
      selection,
      lock,
      leavesOut,
      isInstaller: true,
      bytecode,
      hasHashes: true,
    },
    bytecode,
    makes: found.makes && { environment: found.makes, command: beginningOf(call) },
  }
}

/** `poetry run true` makes the environment as `poetry install` would. */
function beginningOf({ command: { words, assignments } }: InstallCall): string {
  const variables = Object.entries(assignments).map(([name, value]) => `${name}=${shellWord(value)} `)
  return `${variables.join('')}${words[0] ?? ''} run true`
}

/** pip, which pipenv calls, compiles what it installs; the others only when told. */
function leavesBytecode({ tool, bytecode }: ToolCommand): boolean {
  return tool === 'pipenv' || bytecode
}

/** Before 1.4 poetry installed with pip, unless told otherwise, and left other files. */
function oldPoetry({ env }: InstallCall, { index, walk }: StepPlace): CommandObstacle | undefined {
  const texts = walk.steps.slice(0, index + 1).map(({ instruction }) => runText(instruction))
  const pinned = texts.flatMap((text) => [
    ...text.matchAll(/\bpoetry(?:\[[^\]]*\])?\s*(?:[=~]=|<=?)\s*v?(\d+)\.(\d+)/g),
  ])
  const given = /^v?(\d+)\.(\d+)/.exec(env.POETRY_VERSION ?? '')
  const old = [...pinned, ...(given === null ? [] : [given])].some(
    ([, major, minor]) => Number(major) < 1 || (major === '1' && Number(minor) < 4),
  )
  return old ? { code: 'environment', sentence: 'poetry before 1.4 installs in a way of its own' } : undefined
}

function isObstacle(value: object): value is CommandObstacle {
  return 'sentence' in value
}
