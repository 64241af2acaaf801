import { changesPython } from './changes-python.ts'
import type { BuildView, Dockerfile, InstallStep, Refusal } from './dockerfile.ts'
import { oldSyntax } from './dockerfile-syntax.ts'
import type { CommandObstacle } from './install-command.ts'
import { installsOnlyInstallers, installsToolBeside, installText, isTrusted } from './install-text.ts'
import { mayMeetPackages } from './passed-steps.ts'
import { readInstallStep } from './read-install-step.ts'
import { resolveStages, type StageGraph } from './stage-graph.ts'
import { type StageStep, type StageWalk, walkStage } from './stage-steps.ts'
import { stepCommands } from './step-commands.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'

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
  const environments: VirtualEnvironment[] = []
  /** What makes the packages that are there unknown to every install below. */
  let unsure: CommandObstacle | undefined = triggers(walk, stage) ?? unknownMusl(walk)
  /** Where in the walk the first install into a folder stands that layers take the place of. */
  const firstInto = new Map<string | undefined, number>()
  /** The same for installs that share the system's Python with a tool's own packages. */
  let besideTools: CommandObstacle | undefined
  for (const [index, step] of walk.steps.entries()) {
    const { instruction } = step
    const line = instruction.lines.first
    if (installText(instruction) === undefined) {
      environments.push(...environmentsMadeBy(step))
      unsure ??= changesPython(step, graph, view)
      continue
    }
    if (step.stage !== stage) {
      unsure ??= {
        code: 'stage-base',
        sentence: `the stage stands on another one that installs packages itself (line ${line})`,
      }
      continue
    }
    const replaced = new Set(found.filter(isInstallStep).map(({ lines }) => lines.first))
    const stays = (one: StageStep): boolean => !replaced.has(one.instruction.lines.first)
    const read = readInstallStep({ index, walk, graph, view, environments, replaced })
    const first = 'code' in read ? undefined : firstInto.get(read.target.folder)
    const above = first === undefined ? [] : walk.steps.slice(first + 1, index).filter(stays)
    const obstacle =
      unsure ??
      ('code' in read
        ? undefined
        : (standsBetween(above, read, graph) ?? (read.target.kind === 'venv' ? undefined : besideTools)))
    if (!('code' in read) && (obstacle === undefined || isTrusted(instruction))) {
      environments.push(...environmentsOf(read), ...environmentsMadeBy(step))
      found.push(read)
      if (!firstInto.has(read.target.folder)) firstInto.set(read.target.folder, index)
      // It stays on top of the layers, and brings what only a build can tell.
      if (read.locals.length > 0 || read.stays !== undefined) unsure ??= staysOnTop(line)
      continue
    }
    const { code, sentence } = 'code' in read ? read : (obstacle ?? { code: 'environment', sentence: '' })
    found.push({ code, sentence, line })
    if (installsOnlyInstallers(instruction)) {
      if (installsToolBeside(instruction)) besideTools ??= staysOnTop(line)
      environments.push(...environmentsMadeBy(step))
      continue
    }
    unsure ??= staysOnTop(line)
  }
  return found
}

/**
 * Layers of several installs stand where the first one stood, so nothing between them may tell the difference.
 * @param steps that stay below the first install into the same place
 */
function standsBetween(
  steps: readonly StageStep[],
  { target }: InstallStep,
  graph: StageGraph,
): CommandObstacle | undefined {
  const step = steps.find((one) => mayMeetPackages(one, target.folder ?? '/usr/local', graph))
  return (
    step && {
      code: 'environment',
      sentence: `line ${step.instruction.lines.first} stands between two installs and may need the packages or change them`,
    }
  )
}

function staysOnTop(line: number): CommandObstacle {
  return {
    code: 'environment',
    sentence: `line ${line} installs packages in a step that stays, so what is there is not known`,
  }
}

function environmentsMadeBy({ instruction, before }: StageStep): readonly VirtualEnvironment[] {
  if (instruction.keyword !== 'RUN') return []
  const commands = stepCommands(instruction, before)
  return 'code' in commands ? [] : commands.environments
}

/** What `uv sync` has made is there for the steps below it. */
function environmentsOf({ target, makes }: InstallStep): readonly VirtualEnvironment[] {
  if (makes !== undefined) return [makes.environment]
  if (!target.makesEnvironment || target.folder === undefined) return []
  return [{ folder: target.folder, python: 'python', shipped: [] }]
}

function triggers({ root, steps }: StageWalk, stage: number): CommandObstacle | undefined {
  const own = steps.find(({ instruction, stage: at }) => at !== stage && instruction.keyword === 'ONBUILD')
  if ((root?.onBuild ?? []).length === 0 && own === undefined) return undefined
  return { code: 'stage-base', sentence: 'the base has ONBUILD triggers, which run before the steps of this file' }
}

/** Alpine's C library, musl, takes wheels of its own: which ones is known where the base tells its release. */
function unknownMusl({ root, rootReference = '', steps }: StageWalk): CommandObstacle | undefined {
  if (root?.libc === 'musl') return undefined
  const apk = steps.find(
    ({ instruction: { keyword, rest } }) =>
      keyword === 'RUN' && /\bapk\s+(?:-\S+\s+)*(?:add|update|upgrade)\b/.test(rest),
  )
  if (!/alpine|musl/.test(rootReference) && apk === undefined) return undefined
  return {
    code: 'platform',
    sentence: 'the base is an Alpine that does not tell its release, and with it which wheels it takes',
  }
}
