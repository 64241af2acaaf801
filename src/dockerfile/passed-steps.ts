import { posix } from 'node:path'
import { isWithin, readCopyStep } from './copy-step.ts'
import type { BuildView, InstallStep } from './dockerfile.ts'
import { leavesFolderAlone } from './harmless-run.ts'
import { installText } from './install-text.ts'
import { landingObstacle } from './landing-place.ts'
import { remaindersOf, withoutInstall } from './link-copies.ts'
import { runMounts } from './run-mounts.ts'
import { runText } from './run-text.ts'
import { isUsualShell } from './shell-command.ts'
import type { StageGraph } from './stage-graph.ts'
import { expandIn, type StageStep, walkStage } from './stage-steps.ts'
import { stepCommands } from './step-commands.ts'

/** Layers and the step whose place they take: an install, or a COPY of the tree that another stage installs. */
export interface PlacedLayers {
  readonly stage: number
  /** First line of that step. */
  readonly line: number
  /** Top of their tree, absolute. */
  readonly prefix: string
  /** All installs that they take the place of; none for a COPY. */
  readonly steps: readonly InstallStep[]
  /** Set where they are another user's than root: these stay where the install stood. */
  readonly owner?: string | undefined
}

/** The base image's own Python lies here, among what other programs look into. */
const SYSTEM_PREFIX = '/usr/local'
/** They look through /usr/local for libraries, certificates and locales, which wheels may bring. */
const READ_SYSTEM = new Set([
  'apt',
  'apt-get',
  'apk',
  'dpkg-reconfigure',
  'ldconfig',
  'update-ca-certificates',
  'locale-gen',
  'update-locale',
])

/**
 * The RUN steps below an install that can be built before its layers come, top first (`reorder: safe`): they neither need
 * the packages nor change them, so no change of a package need make a builder pull the tree for them. The steps stay where
 * they are, among all that they see: it is the layers that come later, and nothing in between decides what they hold. The
 * first step that may need them ends the search.
 */
export function passedSteps(
  { stage, line, prefix, steps: installs, owner }: PlacedLayers,
  graph: StageGraph,
  view: BuildView,
): readonly StageStep[] {
  if (owner !== undefined) return []
  const walk = walkStage(graph, stage, view)
  const remainders = remaindersOf(installs)
  const replaced = new Set([line, ...installs.map(({ lines }) => lines.first)])
  const steps = walk.steps
    .filter(({ instruction: { lines } }) => !replaced.has(lines.first) || remainders.has(lines.first))
    .map((step) => withoutInstall(step, remainders))
  const passed: StageStep[] = []
  for (const [index, step] of steps.entries()) {
    if (step.instruction.lines.first <= line || step.stage !== stage) continue
    if (!standsAside(step, prefix, graph)) break
    // The layers bring the folders above their tree, too: they must be what they were at the install.
    const obstacle =
      prefix === SYSTEM_PREFIX
        ? undefined
        : landingObstacle(prefix, index + 1, { ...walk, steps }, graph, view, 'made', replaced)
    if (obstacle !== undefined) break
    if (step.instruction.keyword === 'RUN') passed.push(step)
  }
  return passed
}

/** Whether a step surely does the same with and without the tree, and leaves the same tree. */
function standsAside(step: StageStep, prefix: string, graph: StageGraph): boolean {
  const { keyword, rest } = step.instruction
  if (keyword === 'RUN') {
    const programs = installText(step.instruction) === undefined ? programsAside(step, prefix, graph) : undefined
    if (prefix === SYSTEM_PREFIX) return programs?.every((program) => !READ_SYSTEM.has(program)) === true
    // Beside the tree a folder may be there only because the tree is.
    const [, top = ''] = prefix.split('/')
    return (
      programs !== undefined &&
      (top === 'root' || leavesFolderAlone(step.instruction, `/${top}`, step.before.workingDir))
    )
  }
  const to =
    keyword === 'WORKDIR'
      ? posix.resolve(step.before.workingDir, expandIn(graph, step, rest))
      : readCopyStep(step, graph)?.destination
  // All others write into the configuration alone.
  return to === undefined || (!isWithin(to, prefix) && (prefix !== SYSTEM_PREFIX || !isWithin(prefix, to)))
}

/**
 * Whether a step may do something else where more packages lie in a tree that is there already, or leave another tree.
 * @param prefix top of the tree, absolute
 */
export function mayMeetPackages(step: StageStep, prefix: string, graph: StageGraph): boolean {
  if (step.instruction.keyword === 'RUN') return programsAside(step, prefix, graph) === undefined
  const to = readCopyStep(step, graph)?.destination
  return to !== undefined && (isWithin(to, prefix) || (prefix === SYSTEM_PREFIX && isWithin(prefix, to)))
}

/** Programs of a RUN that, its installs aside, surely neither needs the packages of a tree nor changes them; undefined where it may. */
function programsAside(
  { instruction, before }: StageStep,
  prefix: string,
  graph: StageGraph,
): readonly string[] | undefined {
  const { flags } = instruction
  if (!isUsualShell(before.shell)) return undefined
  if (flags.some(({ name }) => name !== 'mount')) return undefined
  const isApart = runMounts(instruction).every(({ type, target }) => {
    const folder = posix.resolve(before.workingDir, expandIn(graph, { instruction, before }, target))
    return type === 'cache' && target !== '' && !isWithin(folder, prefix) && !isWithin(prefix, folder)
  })
  if (!isApart) return undefined
  // An environment's own files are part of the tree.
  if (/\bactivate\b/.test(runText(instruction))) return undefined
  const commands = stepCommands(instruction, before)
  if ('code' in commands || commands.environments.length > 0 || commands.conflict(prefix) !== undefined)
    return undefined
  return commands.programs
}
