import { posix } from 'node:path'
import { redact } from '../base/redact.ts'
import { isWithin } from './copy-step.ts'
import type { BaseImage, BuildView, InstallStep, InstallTarget, RequirementFile, SyncProject } from './dockerfile.ts'
import { leavesFolderAlone } from './harmless-run.ts'
import { type CommandObstacle, type InstallCommand, readInstallCommand } from './install-command.ts'
import { type InstallEnvironment, installEnvironment } from './install-environment.ts'
import { addedFolder, installTarget } from './install-target.ts'
import { installsOnlyInstallers, installText, isSwitchedOff, isTrusted } from './install-text.ts'
import { landingObstacle } from './landing-place.ts'
import { runMounts } from './run-mounts.ts'
import { isUsualShell } from './shell-command.ts'
import type { StageGraph } from './stage-graph.ts'
import { expandIn, pythonVersionOf, type StageStep, type StageWalk } from './stage-steps.ts'
import { type InstallCall, stepCommands } from './step-commands.ts'
import { localPackage, locateAll, projectSettings } from './step-files.ts'
import { isSync, readSyncCommand } from './sync-command.ts'
import { uvFlag } from './uv-flag.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'

/** The place of a step in its stage. */
export interface StepPlace {
  readonly index: number
  readonly walk: StageWalk
  readonly graph: StageGraph
  readonly view: BuildView
  /** Environments that steps above have made. */
  readonly environments: readonly VirtualEnvironment[]
  /** First lines of installs above that layers take the place of. */
  readonly replaced: ReadonlySet<number>
}

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
  Partial<Pick<InstallStep, 'stays'>>

/** Reads a step that installs packages; an obstacle says why it has to stay. */
export function readInstallStep(place: StepPlace): InstallStep | CommandObstacle {
  const { index, walk } = place
  const step = walk.steps[index]
  if (step === undefined) throw new RangeError(`no step ${index}`)
  const { instruction, before, stage } = step
  const obstacle = stepObstacle(step)
  if (obstacle !== undefined) return obstacle
  const commands = stepCommands(instruction, before)
  if ('code' in commands) return commands
  const around = { ...place, environments: [...place.environments, ...commands.environments] }
  const read: ReadInstall[] = []
  for (const call of commands.installs) {
    const install = isSync(call.command) ? readSync(call, around) : readInstall(call, around)
    if ('code' in install) return install
    read.push(install)
  }
  const [first, ...more] = read
  if (first === undefined) return { code: 'unknown-option', sentence: 'the step installs pip or its like alone' }
  const other = more.some((install) => settingsOf(install) !== settingsOf(first) || install.project !== undefined)
  if (other) return { code: 'several-commands', sentence: 'the step has several installs with different settings' }
  const prefix = first.target.folder ?? '/usr/local'
  const obstructed = mountedThere(step, prefix, place.graph) ?? landing(first.target, place, commands.environments)
  if (obstructed !== undefined) return obstructed
  const conflict = commands.conflict(prefix)
  // Layers before the step are made from what it finds now, so nothing in it may change that first.
  if (conflict !== undefined && !leavesInputsAlone(step, commands.before, read)) return conflict
  return {
    command: redact((instruction.json?.join(' ') ?? commandText(step)).replace(/\s+/g, ' ').trim()),
    lines: instruction.lines,
    stage,
    ...first,
    requirementFiles: read.flatMap(({ requirementFiles }) => requirementFiles),
    constraintFiles: read.flatMap(({ constraintFiles }) => constraintFiles),
    packages: read.flatMap(({ packages }) => packages),
    locals: read.flatMap(({ locals }) => locals),
    remainder: commands.remainder,
    stays: first.stays ?? conflict,
  }
}

/** Whether the commands before the installs surely change neither the files that these read nor the place that they fill. */
function leavesInputsAlone(
  { instruction, before }: StageStep,
  commands: string,
  read: readonly ReadInstall[],
): boolean {
  const run = { ...instruction, rest: commands, json: undefined, heredocs: [] }
  const folders = read.flatMap(({ target, requirementFiles, constraintFiles, project, locals }) => [
    target.folder ?? '/usr/local',
    ...[...requirementFiles, ...constraintFiles].map(({ imagePath }) => posix.dirname(imagePath)),
    ...(project === undefined ? [] : [project.folder]),
    ...locals.flatMap((local) => (local.project === undefined ? [] : [posix.dirname(local.project.imagePath)])),
  ])
  return folders.every((folder) => leavesFolderAlone(run, folder, before.workingDir))
}

function commandText({ instruction: { rest, heredocs } }: StageStep): string {
  return [rest, ...heredocs.map(({ content }) => content.replaceAll('\n', ' '))].join(' ')
}

function settingsOf({ installer, settings, bytecode, target }: ReadInstall): string {
  return JSON.stringify([installer, settings, bytecode, target])
}

/** Environments are made anew by the step or one above it; other places must be untouched. */
function landing(
  { kind, folder, makesEnvironment }: InstallTarget,
  { index, walk, graph, view, replaced }: StepPlace,
  made: readonly VirtualEnvironment[],
): CommandObstacle | undefined {
  if (folder === undefined) return undefined
  const isMade = kind === 'venv' && !makesEnvironment
  if (isMade && made.some((environment) => environment.folder === folder)) return undefined
  return landingObstacle(folder, index, walk, graph, view, isMade ? 'made' : 'new', replaced)
}

/** What is written into a mount is no part of the image. */
function mountedThere(step: StageStep, prefix: string, graph: StageGraph): CommandObstacle | undefined {
  const targets = runMounts(step.instruction).map(({ target }) =>
    posix.resolve(step.before.workingDir, expandIn(graph, step, target)),
  )
  const there = targets.find((target) => isWithin(prefix, target) || isWithin(target, prefix))
  return there === undefined
    ? undefined
    : { code: 'mount', sentence: `the step mounts ${there}, and the packages go to ${prefix}` }
}

function stepObstacle({ instruction, before }: StageStep): CommandObstacle | undefined {
  if (isSwitchedOff(instruction))
    return { code: 'switched-off', sentence: 'a comment above the step says image-cache: off' }
  if (instruction.keyword !== 'RUN')
    return { code: 'stage-base', sentence: 'the command is a trigger for other builds (ONBUILD)' }
  if (!/^(?:root|0)?(?::(?:root|0))?$/.test(before.user)) {
    return { code: 'not-root', sentence: `the step runs as ${before.user}, so the packages go to that user's home` }
  }
  if (!isUsualShell(before.shell)) {
    return { code: 'shell-syntax', sentence: `the step is run by another shell (${before.shell?.join(' ')})` }
  }
  if (before.env.BASH_ENV && /bash$/.test(before.shell?.[0] ?? ''))
    return { code: 'environment', sentence: 'BASH_ENV names a script that the shell runs first' }
  const flag = instruction.flags.find(({ name }) => name !== 'mount')
  if (flag !== undefined)
    return { code: 'mount', sentence: `RUN --${flag.name} changes the surroundings of the command` }
  const mount = runMounts(instruction).find(
    ({ type, from }) => !['cache', 'tmpfs'].includes(type) && (type !== 'bind' || from !== undefined),
  )
  if (mount === undefined) return undefined
  const what = mount.type === 'bind' ? `files of ${mount.from}` : `a ${mount.type}`
  return { code: 'mount', sentence: `the step mounts ${what}, which a layer's own build would not see` }
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
  })
  if ('code' in target) return target
  const step = walk.steps[index]
  const isSure = step !== undefined && isTrusted(step.instruction)
  const surroundings = installEnvironment(install, call.env, pythonVersionOf(root), isSure)
  if ('code' in surroundings) return surroundings
  const python = pythonObstacle(install, root) ?? projectSettings(install, call.workingDir, place)
  if (python !== undefined) return python
  const locate = (paths: readonly string[]): readonly RequirementFile[] | CommandObstacle =>
    locateAll(paths, call.workingDir, place)
  const requirementFiles = locate(install.requirements)
  if ('code' in requirementFiles) return requirementFiles
  const constraintFiles = locate(install.constraints)
  if ('code' in constraintFiles) return constraintFiles
  const locals = install.locals.map((text) => localPackage(text, call.workingDir, index, walk, graph, view))
  return { ...common(install, target, surroundings), requirementFiles, constraintFiles, locals }
}

function common(
  { installer, packages }: InstallCommand,
  target: InstallTarget,
  { settings, bytecode }: InstallEnvironment,
): Omit<ReadInstall, 'requirementFiles' | 'constraintFiles' | 'locals'> {
  return { installer, target, packages, project: undefined, settings, bytecode }
}

function readSync(call: InstallCall, place: StepPlace): ReadInstall | CommandObstacle {
  const { walk } = place
  const pythonVersion = pythonVersionOf(walk.root)
  const sync = readSyncCommand(call.command, call.env, pythonVersion)
  if ('code' in sync) return sync
  const install: InstallCommand = {
    ...{ installer: 'uv', pythonVersion: undefined, environment: undefined, python: undefined, place: undefined },
    ...{ requirements: [], constraints: [], packages: [], locals: [], indexUrl: undefined, extraIndexUrls: [] },
    ...{ findLinks: [], preReleases: false, system: false, bytecode: sync.bytecode },
  }
  const step = walk.steps[place.index]
  const isSure = step !== undefined && isTrusted(step.instruction)
  const surroundings = installEnvironment(install, call.env, pythonVersion, isSure)
  if ('code' in surroundings) return surroundings
  const first = addedFolder(call.env.PATH, walk.root?.env.PATH)
  const own = (sync.active && call.env.VIRTUAL_ENV) || call.env.UV_PROJECT_ENVIRONMENT || '.venv'
  const folder = posix.resolve(call.workingDir, own)
  if (first !== undefined && first !== `${folder}/bin`)
    return { code: 'virtual-environment', sentence: `PATH names ${first} first, which may hold another Python` }
  if (folder === '/') return { code: 'virtual-environment', sentence: 'uv sync makes / an environment' }
  const files = locateAll(['uv.lock', 'pyproject.toml'], call.workingDir, place)
  if ('code' in files) return files
  const [lockFile, projectFile] = files
  if (lockFile === undefined || projectFile === undefined) throw new RangeError('two files were asked for')
  const made = place.environments.findLast((environment) => environment.folder === folder)
  const isSystem = folder === '/usr/local'
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
  const project: SyncProject = { folder: call.workingDir, lockFile, projectFile, selection, lock, leavesOut }
  const nothing = { requirementFiles: [], constraintFiles: [], locals: [] }
  return { ...common(install, target, surroundings), ...nothing, project, stays }
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
