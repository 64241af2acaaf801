import { posix } from 'node:path'
import { redact } from '../base/redact.ts'
import { readCopyStep } from './copy-step.ts'
import type { BaseImage, BuildView, Dockerfile, InstallStep, Refusal, RequirementFile } from './dockerfile.ts'
import { oldSyntax } from './dockerfile-syntax.ts'
import { type CommandObstacle, type InstallCommand, readInstallCommand } from './install-command.ts'
import { installEnvironment } from './install-environment.ts'
import { installsOnlyInstallers, installText, isSwitchedOff, otherInstaller } from './install-text.ts'
import { originOf } from './locate-in-context.ts'
import { runMounts } from './run-mounts.ts'
import { readShellCommand } from './shell-command.ts'
import { resolveStages, type StageGraph } from './stage-graph.ts'
import { type StageStep, type StageWalk, walkStage } from './stage-steps.ts'

/**
 * Finds the install commands of the stages that the target needs: those that can surely become layers, and for each
 * other one the reason why not. Steps without an install command are not mentioned.
 * @returns in the order of the file.
 * @throws ImageCacheError E_DOCKERFILE on a target or variable that BuildKit would refuse too.
 */
export function findInstalls(dockerfile: Dockerfile, view: BuildView): readonly (InstallStep | Refusal)[] {
  const graph = resolveStages(dockerfile, view)
  const found = graph.reachable.flatMap((stage) => stageInstalls(stage, graph, view))
  const old = oldSyntax(dockerfile.directives)
  return old === undefined || found.length === 0 ? found : [{ code: 'old-syntax', ...old }]
}

/** Tells the two answers of `findInstalls` apart. */
export function isInstallStep(found: InstallStep | Refusal): found is InstallStep {
  return 'installer' in found
}

function stageInstalls(stage: number, graph: StageGraph, view: BuildView): readonly (InstallStep | Refusal)[] {
  const walk = walkStage(graph, stage, view)
  const found: (InstallStep | Refusal)[] = []
  /** What makes the packages that are there unknown to every install below. */
  let unsure: CommandObstacle | undefined = triggers(walk, stage) ?? otherLibc(walk)
  for (const [index, step] of walk.steps.entries()) {
    const { instruction } = step
    const line = instruction.lines.first
    if (installText(instruction) === undefined) {
      unsure ??= changesPython(step, graph)
      continue
    }
    if (step.stage !== stage) {
      unsure ??= {
        code: 'stage-base',
        sentence: `the stage stands on another one that installs packages itself (line ${line})`,
      }
      continue
    }
    const read = readStep(index, walk, graph, view)
    if (!('code' in read) && unsure === undefined) {
      found.push(read)
      continue
    }
    const { code, sentence } = 'code' in read ? read : (unsure ?? { code: 'environment', sentence: '' })
    found.push({ code, sentence, line })
    if (installsOnlyInstallers(instruction)) continue
    unsure ??= {
      code: 'environment',
      sentence: `line ${line} installs packages in a step that stays, so what is there is not known`,
    }
  }
  return found
}

function triggers({ root, steps }: StageWalk, stage: number): CommandObstacle | undefined {
  const own = steps.find(({ instruction, stage: at }) => at !== stage && instruction.keyword === 'ONBUILD')
  if ((root?.onBuild ?? []).length === 0 && own === undefined) return undefined
  return { code: 'stage-base', sentence: 'the base has ONBUILD triggers, which run before the steps of this file' }
}

/** Alpine's C library is musl: its wheels are others than those that the installer image would take. */
function otherLibc({ rootReference = '', steps }: StageWalk): CommandObstacle | undefined {
  const apk = steps.find(
    ({ instruction: { keyword, rest } }) =>
      keyword === 'RUN' && /\bapk\s+(?:-\S+\s+)*(?:add|update|upgrade)\b/.test(rest),
  )
  if (!/alpine|musl/.test(rootReference) && apk === undefined) return undefined
  return { code: 'platform', sentence: 'the base is Alpine, whose musl library needs wheels of its own' }
}

/** Steps without pip that put packages into Python's folders or change the settings of installers. */
function changesPython(step: StageStep, graph: StageGraph): CommandObstacle | undefined {
  const { instruction } = step
  const line = instruction.lines.first
  const installer = otherInstaller(instruction)
  if (installer !== undefined)
    return { code: 'environment', sentence: `line ${line} changes the packages with ${installer}` }
  if (/\bpip\.conf\b|\buv\.toml\b|\.netrc\b/.test(instruction.rest)) {
    return { code: 'environment', sentence: `line ${line} brings a settings file of pip or uv` }
  }
  const copy = readCopyStep(step, graph)
  if (copy?.from === undefined) return undefined
  const folder = copy.destination.replace(/\/?$/, '/')
  if (!'/usr/local/lib/'.startsWith(folder) && !folder.startsWith('/usr/local/lib/')) return undefined
  return { code: 'environment', sentence: `line ${line} copies files into Python's folders` }
}

function readStep(index: number, walk: StageWalk, graph: StageGraph, view: BuildView): InstallStep | CommandObstacle {
  const step = walk.steps[index]
  if (step === undefined) throw new RangeError(`no step ${index}`)
  const { instruction, before, stage } = step
  const obstacle = stepObstacle(step)
  if (obstacle !== undefined) return obstacle
  const command =
    instruction.json === undefined
      ? readShellCommand(instruction.rest, (name) => before.env[name])
      : { assignments: {}, words: instruction.json }
  if ('code' in command) return command
  const install = readInstallCommand(command)
  if ('code' in install) return install
  const env = { ...before.env, ...command.assignments }
  const surroundings = installEnvironment(install, env, walk.root?.env.PATH)
  if ('code' in surroundings) return surroundings
  const python = pythonObstacle(install, walk.root) ?? projectSettings(install, index, walk, graph, view)
  if (python !== undefined) return python
  const requirementFiles = locateAll(install.requirements, index, walk, graph, view)
  if ('code' in requirementFiles) return requirementFiles
  const constraintFiles = locateAll(install.constraints, index, walk, graph, view)
  if ('code' in constraintFiles) return constraintFiles
  return {
    command: redact((instruction.json?.join(' ') ?? instruction.rest).replace(/\s+/g, ' ').trim()),
    lines: instruction.lines,
    stage,
    installer: install.installer,
    requirementFiles,
    constraintFiles,
    packages: install.packages,
    settings: surroundings.settings,
    bytecode: surroundings.bytecode,
  }
}

function stepObstacle({ instruction, before }: StageStep): CommandObstacle | undefined {
  if (isSwitchedOff(instruction))
    return { code: 'switched-off', sentence: 'a comment above the step says image-cache: off' }
  if (instruction.keyword !== 'RUN')
    return { code: 'stage-base', sentence: 'the command is a trigger for other builds (ONBUILD)' }
  if (instruction.heredocs.length > 0) {
    return { code: 'several-commands', sentence: 'the step is a script (heredoc); give the install a RUN of its own' }
  }
  if (!/^(?:root|0)?(?::(?:root|0))?$/.test(before.user)) {
    return { code: 'not-root', sentence: `the step runs as ${before.user}, so the packages go to that user's home` }
  }
  if (before.shell !== undefined && before.shell.join(' ') !== '/bin/sh -c') {
    return { code: 'shell-syntax', sentence: `the step is run by another shell (${before.shell.join(' ')})` }
  }
  const flag = instruction.flags.find(({ name }) => name !== 'mount')
  if (flag !== undefined)
    return { code: 'mount', sentence: `RUN --${flag.name} changes the surroundings of the command` }
  const mount = runMounts(instruction).find(
    ({ type, from }) => type !== 'cache' && (type !== 'bind' || from !== undefined),
  )
  if (mount === undefined) return undefined
  const what = mount.type === 'bind' ? `files of ${mount.from}` : `a ${mount.type}`
  return { code: 'mount', sentence: `the step mounts ${what}, which a layer's own build would not see` }
}

function pythonObstacle({ pythonVersion }: InstallCommand, root: BaseImage | undefined): CommandObstacle | undefined {
  const full = root?.env.PYTHON_VERSION
  if (pythonVersion === undefined || full === undefined || full.startsWith(`${pythonVersion}.`)) return undefined
  return {
    code: 'python-unknown',
    sentence: `the command asks for Python ${pythonVersion}, the base image has ${full}`,
  }
}

/** uv takes settings from pyproject.toml and uv.toml of the working directory and the folders above it. */
function projectSettings(
  { installer }: InstallCommand,
  index: number,
  { steps }: StageWalk,
  graph: StageGraph,
  view: BuildView,
): CommandObstacle | undefined {
  if (installer !== 'uv') return undefined
  for (let folder = steps[index]?.before.workingDir ?? '/'; ; folder = posix.dirname(folder)) {
    for (const name of ['uv.toml', 'pyproject.toml']) {
      const path = posix.join(folder, name)
      if (originOf(path, steps, index, graph, view.contextFiles).kind === 'context') {
        return { code: 'environment', sentence: `uv takes settings from ${path}, which the step sees` }
      }
    }
    if (folder === '/') return undefined
  }
}

function locateAll(
  paths: readonly string[],
  index: number,
  { steps }: StageWalk,
  graph: StageGraph,
  view: BuildView,
): readonly RequirementFile[] | CommandObstacle {
  const files: RequirementFile[] = []
  for (const path of paths) {
    const origin = originOf(path, steps, index, graph, view.contextFiles)
    const imagePath = posix.resolve(steps[index]?.before.workingDir ?? '/', path)
    if (origin.kind === 'none')
      return { code: 'file-not-found', sentence: `no step above copies ${path} from the build context` }
    if (origin.kind === 'unknown') {
      return {
        code: 'file-not-found',
        sentence: `${path} may not be the build context's file any more (line ${origin.line})`,
      }
    }
    files.push({ imagePath, contextPath: origin.path })
  }
  return files
}
