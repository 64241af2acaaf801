import { posix } from 'node:path'
import { redact } from '../base/redact.ts'
import type { IndexSettings } from '../python/resolution.ts'
import { namesSettings } from './changes-python.ts'
import type {
  BaseImage,
  InstallStep,
  InstallTarget,
  InstallTurn,
  LockedProject,
  RequirementFile,
} from './dockerfile.ts'
import { type ExportedLock, exportedLock } from './exported-lock.ts'
import { leavesFolderAlone } from './harmless-run.ts'
import { type CommandObstacle, type InstallCommand, readInstallCommand } from './install-command.ts'
import { type InstallEnvironment, installEnvironment } from './install-environment.ts'
import { installLanding } from './install-landing.ts'
import { addedFolder, installTarget } from './install-target.ts'
import { installsOnlyInstallers, installText, isTrusted } from './install-text.ts'
import { isLaidOver } from './laid-over.ts'
import { readToolInstall, type ToolInstall } from './read-tool-install.ts'
import { mayHoldOthers } from './root-cache.ts'
import { runText } from './run-text.ts'
import { allCommands } from './shell-chain.ts'
import { pythonVersionOf, type StageStep } from './stage-steps.ts'
import { type InstallCall, stepCommands } from './step-commands.ts'
import { localPackage, locateAll, locateProject, projectSettings } from './step-files.ts'
import { mountedThere, stepObstacle } from './step-obstacle.ts'
import type { StepPlace } from './step-place.ts'
import { stepUser } from './step-user.ts'
import { isSync, readSyncCommand } from './sync-command.ts'
import { isToolInstall } from './tool-command.ts'
import { systemObstacle } from './user-place.ts'
import { uvFlag } from './uv-flag.ts'

/** What an install command comes to, wherever it stands. */
type ReadInstall = Pick<
  InstallStep,
  | 'installer'
  | 'target'
  | 'requirementFiles'
  | 'constraintFiles'
  | 'packages'
  | 'locals'
  | 'project'
  | 'settings'
  | 'bytecode'
> &
  Partial<Pick<InstallStep, 'stays' | 'noDeps'>> & {
    readonly makes?: ToolInstall['makes']
    readonly upgrades?: boolean
  }

/** Reads a step that installs packages; an obstacle says why it has to stay. */
export function readInstallStep(place: StepPlace): InstallStep | CommandObstacle {
  const { index, walk } = place
  const step = walk.steps[index]
  if (step === undefined) throw new RangeError(`no step ${index}`)
  const { instruction, before, stage } = step
  const obstacle = stepObstacle(step)
  if (obstacle !== undefined) return obstacle
  const commands = stepCommands(instruction, before, !mayHoldOthers(place))
  if ('code' in commands) return commands
  const user = stepUser(place)
  if (user !== undefined && 'code' in user) return user
  const around = { ...place, environments: [...place.environments, ...commands.environments], user }
  const read: ReadInstall[] = []
  for (const call of commands.installs) {
    const install = readCall(call, around)
    if ('code' in install) return install
    read.push(install)
  }
  const [first, ...more] = read
  if (first === undefined) return { code: 'unknown-option', sentence: 'the step installs pip or its like alone' }
  const last = read.at(-1) ?? first
  const { upgrades, ...shared } = first
  const isOther = (install: ReadInstall): boolean =>
    install.project === undefined
      ? settingsOf(install) !== settingsOf(first)
      : install !== last || !isLaidOver(install, first)
  if (more.some(isOther))
    return { code: 'several-commands', sentence: 'the step has several installs with different settings' }
  const { makes } = last
  const prefix = first.target.folder ?? '/usr/local'
  const obstructed =
    mountedThere(step, prefix, place.graph) ??
    installLanding(first.target, around, commands.environments, makes !== undefined)
  if (obstructed !== undefined) return obstructed
  const conflict = commands.conflict(prefix)
  // Layers before the step are made from what it finds now, so nothing in it may change that first.
  if (conflict !== undefined && !leavesInputsAlone(step, commands.before, read)) return conflict
  return {
    command: redact(runText(instruction).replace(/\s+/g, ' ').trim()),
    lines: instruction.lines,
    stage,
    ...shared,
    target: user === undefined ? shared.target : { ...shared.target, owner: user.owner },
    project: last.project,
    turns: read.filter((install) => install.project === undefined).map(turnOf),
    requirementFiles: read.flatMap(({ requirementFiles }) => requirementFiles),
    constraintFiles: read.flatMap(({ constraintFiles }) => constraintFiles),
    packages: read.flatMap(({ packages }) => packages),
    locals: read.flatMap(({ locals }) => locals),
    remainder: joined(commands.remainder, makes?.command),
    makes: makes && { ...makes, isAlone: commands.isAlone },
    stays: first.stays ?? conflict,
  }
}

function turnOf(install: ReadInstall): InstallTurn {
  const { requirementFiles, constraintFiles, packages, locals, upgrades = false } = install
  return { requirementFiles, constraintFiles, packages, locals, upgrades }
}

/** The environment is begun after all else that the step does. */
function joined(...commands: readonly (string | undefined)[]): string | undefined {
  const given = commands.filter((command) => command !== undefined)
  return given.length === 0 ? undefined : given.join(' && ')
}

/** `NAME=value` as a command of its own, and `export NAME`: what an install below them sees is not followed. */
const SETS_VARIABLES = /^(?:[A-Za-z_]\w*=\S*\s*)+$|^(?:export|readonly|declare|unset)\s+(?!\w+=)/

/** Whether the commands before the installs surely change neither settings nor the files that these read nor the place that they fill. */
function leavesInputsAlone(
  { instruction, before }: StageStep,
  commands: string,
  read: readonly ReadInstall[],
): boolean {
  const run = { ...instruction, rest: commands, json: undefined, heredocs: [] }
  if (namesSettings(commands) || allCommands(run)?.some(({ text }) => SETS_VARIABLES.test(text)) !== false) return false
  const folders = read.flatMap(({ target, requirementFiles, constraintFiles, project, locals }) => [
    target.folder ?? '/usr/local',
    ...[...requirementFiles, ...constraintFiles].map(({ imagePath }) => posix.dirname(imagePath)),
    ...(project === undefined ? [] : [project.folder]),
    ...locals.flatMap((local) => (local.project === undefined ? [] : [posix.dirname(local.project.imagePath)])),
  ])
  return folders.every((folder) => leavesFolderAlone(run, folder, before.workingDir))
}

function settingsOf({ installer, settings, bytecode, target, noDeps }: ReadInstall): string {
  return JSON.stringify([installer, settings, bytecode, target, noDeps])
}

/** What a command says of indexes that has no options for them. */
const NO_SETTINGS: IndexSettings = { indexUrl: undefined, extraIndexUrls: [], findLinks: [], preReleases: false }

function readCall(call: InstallCall, place: StepPlace): ReadInstall | CommandObstacle {
  if (isSync(call.command)) return readSync(call, place)
  return isToolInstall(call.command) ? readTool(call, place) : readInstall(call, place)
}

function readTool(call: InstallCall, place: StepPlace): ReadInstall | CommandObstacle {
  if (place.user !== undefined)
    return {
      code: 'not-root',
      sentence: `the step runs as ${place.user.owner}, with a tool that keeps files in its home`,
    }
  const install = readToolInstall(call, place)
  if ('code' in install) return install
  const none = { requirementFiles: [], constraintFiles: [], packages: [], locals: [] }
  return { installer: 'pip', settings: NO_SETTINGS, ...none, ...install }
}

function readInstall(call: InstallCall, place: StepPlace): ReadInstall | CommandObstacle {
  const { index, walk, graph, view } = place
  const parsed = readInstallCommand(call.command)
  if ('code' in parsed) return parsed
  const install = {
    ...parsed,
    system: parsed.system || uvFlag(call.env.UV_SYSTEM_PYTHON),
  }
  const root = walk.root
  const target = installTarget(install, {
    env: call.env,
    workingDir: call.workingDir,
    basePath: root?.env.PATH,
    environments: place.environments,
    user: place.user,
  })
  if ('code' in target) return target
  const isHome = place.user !== undefined && target.kind === 'prefix' && install.place === undefined
  const open = isHome ? systemObstacle(place) : undefined
  if (open !== undefined) return open
  const step = walk.steps[index]
  const isSure = step !== undefined && isTrusted(step.instruction)
  const surroundings = installEnvironment(install, call.env, pythonVersionOf(root), isSure)
  if ('code' in surroundings) return surroundings
  const python = pythonObstacle(install, root) ?? projectSettings(install, call.workingDir, place)
  if (python !== undefined) return python
  const exported = exportedInstall(install, call.workingDir, place)
  if (exported !== undefined) {
    const project = { ...exported, bytecode: surroundings.bytecode }
    return { ...common(install, target, surroundings), project, requirementFiles: [], constraintFiles: [], locals: [] }
  }
  const locate = (paths: readonly string[]): readonly RequirementFile[] | CommandObstacle =>
    locateAll(paths, call.workingDir, place)
  const requirementFiles = locate(install.requirements)
  if ('code' in requirementFiles) return requirementFiles
  const constraintFiles = locate(install.constraints)
  if ('code' in constraintFiles) return constraintFiles
  const locals = install.locals.map((text) => localPackage(text, call.workingDir, index, walk, graph, view))
  const { upgrades } = install
  return { ...common(install, target, surroundings), requirementFiles, constraintFiles, locals, upgrades }
}

/** A command that installs what was exported from a lock, and nothing else. */
function exportedInstall(
  { requirements, packages, constraints, locals }: InstallCommand,
  workingDir: string,
  place: StepPlace,
): ExportedLock | undefined {
  const [path, ...more] = requirements
  const isAlone = more.length + packages.length + constraints.length + locals.length === 0
  return path === undefined || !isAlone ? undefined : exportedLock(posix.resolve(workingDir, path), place)
}

function common(
  { installer, packages, noDeps }: Pick<InstallCommand, 'installer' | 'packages'> & { readonly noDeps?: boolean },
  target: InstallTarget,
  { settings, bytecode }: InstallEnvironment,
): Omit<ReadInstall, 'requirementFiles' | 'constraintFiles' | 'locals'> {
  const named = noDeps === true ? { noDeps } : {}
  return { installer, target, packages, project: undefined, settings, bytecode, ...named }
}

function readSync(call: InstallCall, place: StepPlace): ReadInstall | CommandObstacle {
  const { walk } = place
  const pythonVersion = pythonVersionOf(walk.root)
  const sync = readSyncCommand(call.command, call.env, pythonVersion)
  if ('code' in sync) return sync
  const command = { installer: 'uv', packages: [], ...NO_SETTINGS, bytecode: sync.bytecode } as const
  const step = walk.steps[place.index]
  const isSure = step !== undefined && isTrusted(step.instruction)
  const surroundings = installEnvironment(command, call.env, pythonVersion, isSure)
  if ('code' in surroundings) return surroundings
  const first = addedFolder(call.env.PATH, walk.root?.env.PATH)
  const own = (sync.active && call.env.VIRTUAL_ENV) || call.env.UV_PROJECT_ENVIRONMENT || '.venv'
  const folder = posix.resolve(call.workingDir, own)
  if (first !== undefined && first !== `${folder}/bin`)
    return { code: 'virtual-environment', sentence: `PATH names ${first} first, which may hold another Python` }
  if (folder === '/') return { code: 'virtual-environment', sentence: 'uv sync makes / an environment' }
  const files = locateProject({ lock: 'uv.lock', project: 'pyproject.toml' }, call.workingDir, place)
  if ('code' in files) return files
  const made = place.environments.findLast((environment) => environment.folder === folder)
  const isSystem = folder === '/usr/local'
  if (isSystem && place.user !== undefined)
    return { code: 'not-root', sentence: `the step runs as ${place.user.owner}, which may not write to ${folder}` }
  const target: InstallTarget = isSystem
    ? { kind: 'system', folder: undefined, python: 'python', shipped: [], makesEnvironment: false }
    : {
        kind: 'venv',
        folder,
        python: `${folder}/bin/python`,
        shipped: made?.shipped ?? [],
        makesEnvironment: made === undefined,
      }
  const { selection, lock, leavesOut, inexact } = sync
  const isNew = target.makesEnvironment || inexact
  const other = isNew ? undefined : walk.steps.slice(0, place.index).find(bringsOthers)
  const stays = other && {
    code: 'environment' as const,
    sentence: `uv sync takes out what line ${other.instruction.lines.first} has installed, which no layer can`,
  }
  const project: LockedProject = {
    tool: 'uv',
    folder: call.workingDir,
    ...files,
    selection,
    lock,
    leavesOut,
  }
  const nothing = { requirementFiles: [], constraintFiles: [], locals: [] }
  return { ...common(command, target, surroundings), ...nothing, project, stays }
}

/**
 * Whether a step may have put packages where uv sync finds them and takes them out again. It leaves alone what
 * environments are made with, and itself, unless it has made the environment without them.
 */
function bringsOthers({ instruction }: StageStep): boolean {
  const text = installText(instruction)
  return text !== undefined && !/\buv\s+sync\b/.test(text) && !installsOnlyInstallers(instruction, ['pip', 'uv'])
}

function pythonObstacle({ pythonVersion }: InstallCommand, root: BaseImage | undefined): CommandObstacle | undefined {
  const full = pythonVersionOf(root)
  if (pythonVersion === undefined || full === undefined || `${full}.`.startsWith(`${pythonVersion}.`)) return undefined
  return {
    code: 'python-unknown',
    sentence: `the command asks for Python ${pythonVersion}, the base image has ${full}`,
  }
}
