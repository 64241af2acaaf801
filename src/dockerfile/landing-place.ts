import { posix } from 'node:path'
import { isFreePlace, pathsDownTo } from './base-places.ts'
import { isForRoot, isWithin, readCopyStep } from './copy-step.ts'
import type { BuildView, Instruction } from './dockerfile.ts'
import { leavesFolderAlone } from './harmless-run.ts'
import type { CommandObstacle } from './install-command.ts'
import { isForInstallersOnly, isInstallText } from './install-text.ts'
import { copiesOddFolder } from './locate-in-context.ts'
import { isRoot } from './root-user.ts'
import { readShellChain } from './shell-chain.ts'
import { readShellCommand } from './shell-command.ts'
import type { StageGraph } from './stage-graph.ts'
import { expandIn, type StageState, type StageStep, type StageWalk } from './stage-steps.ts'
import { madeEnvironment } from './virtual-environment.ts'

/** Top folders of root's own with the usual mode, where the folders below are the user's. */
const PLAIN_TOPS = ['opt', 'srv', 'root']
const SYSTEM_TOPS = [
  ...['bin', 'boot', 'dev', 'etc', 'home', 'lib', 'lib32', 'lib64', 'libx32', 'media', 'mnt', 'proc', 'run', 'sbin'],
  ...['sys', 'tmp', 'usr', 'var'],
]

/**
 * Why a tree laid over the image at a folder would show as more than its files: its folders come with the usual mode and
 * owner, and go over links.
 * @param folder absolute; packages go there.
 * @param index of the step that would be replaced.
 * @param replaced first lines of installs that layers take the place of.
 * @param state `made`: an environment that a step above has made lies there; `new`: nothing may lie there.
 */
export function landingObstacle(
  folder: string,
  index: number,
  { steps, root }: StageWalk,
  graph: StageGraph,
  view: BuildView,
  state: 'made' | 'new',
  replaced: ReadonlySet<number> = new Set(),
): CommandObstacle | undefined {
  const [, top = ''] = folder.split('/')
  const isFree = isFreePlace(folder, root)
  if (!isFree && (SYSTEM_TOPS.includes(top) || (PLAIN_TOPS.includes(top) && folder === `/${top}`))) {
    return { code: 'virtual-environment', sentence: `${folder} lies among folders that the base image brings along` }
  }
  const parent = posix.dirname(folder)
  const own = root?.workingDir ? posix.resolve('/', root.workingDir) : '/'
  if (own !== '/' && (isWithin(parent, own) || isWithin(own, folder)))
    return { code: 'virtual-environment', sentence: `the base image has a folder ${own} of its own` }
  const made = ['/usr', '/usr/src', '/root', '/opt', '/srv']
  for (const step of steps.slice(0, index)) {
    const { instruction, before } = step
    const line = instruction.lines.first
    const filled = fillObstacle(step, folder, graph, view)
    if (filled !== undefined) return filled
    const copy = readCopyStep(step, graph)
    if (copy !== undefined) {
      const odd = pathsDownTo(parent).find((path) => copiesOddFolder(copy, path, view))
      if (odd !== undefined) return { code: 'environment', sentence: `line ${line} may change the mode of ${odd}` }
      const isMade = (path: string): boolean => made.some((known) => isWithin(known, path))
      const anew = pathsDownTo(parent).find((path) => isWithin(copy.destination, path) && !isMade(path))
      if (!isForRoot(copy) && (isWithin(folder, copy.destination) || anew !== undefined)) {
        const owner = copy.flags.get('chown')
        return { code: 'environment', sentence: `line ${line} may give ${anew ?? copy.destination} to ${owner}` }
      }
    }
    if (instruction.keyword === 'WORKDIR')
      made.push(posix.resolve(before.workingDir, expandIn(graph, step, instruction.rest)))
    const isForeign = !isRoot(before.user)
    if (isForeign && instruction.keyword === 'WORKDIR')
      return { code: 'environment', sentence: `line ${line} makes a folder for the user ${before.user}` }
    if (instruction.keyword !== 'RUN' || replaced.has(line)) continue
    if (state === 'made' && makesOnly(instruction, folder, before)) continue
    if (!leavesFolderAlone(instruction, folder, before.workingDir, !isForeign)) {
      return { code: 'environment', sentence: `line ${line} may change ${folder} or the folders above it` }
    }
  }
  return undefined
}

/** Whether a COPY or ADD may bring files into a folder. */
export function fillObstacle(
  step: StageStep,
  folder: string,
  graph: StageGraph,
  view: BuildView,
): CommandObstacle | undefined {
  const copy = readCopyStep(step, graph)
  if (copy === undefined) return undefined
  const isInside = isWithin(copy.destination, folder)
  const mayFill = copy.from !== undefined || copy.flags.has('parents') || copy.keyword === 'ADD'
  const within =
    copy.from === undefined && view.contextFiles.some((file) => landsIn(file, copy.destination, copy.sources, folder))
  return isInside || within || (mayFill && isWithin(folder, copy.destination))
    ? { code: 'environment', sentence: `line ${step.instruction.lines.first} may copy files into ${folder}` }
    : undefined
}

/** Whether a file of the context lands in the folder when its source is copied to the destination. */
function landsIn(file: string, destination: string, sources: readonly string[], folder: string): boolean {
  return sources.some((source) => {
    const base = source === '' || source === '.' ? '' : source.replace(/\/$/, '')
    if (!isWithin(file, base) && !/[*?[]/.test(base)) return false
    const rest = base === '' || !isWithin(file, base) ? file : file.slice(base.length).replace(/^\//, '')
    return isWithin(posix.join(destination, rest), folder)
  })
}

/** `python -m venv /venv`, alone in its step or with an upgrade of its pip. */
export function makesOnly(run: Instruction, folder: string, { env, workingDir, pythonVersion }: StageState): boolean {
  const chain = run.json === undefined ? readShellChain(run) : { commands: [run.json.join(' ')] }
  if ('code' in chain) return false
  return chain.commands.every((text) => {
    const command = readShellCommand(text, (name) => env[name])
    if ('code' in command) return false
    return (
      (isInstallText(text) && isForInstallersOnly(text)) ||
      madeEnvironment(command, workingDir, pythonVersion)?.folder === folder
    )
  })
}
