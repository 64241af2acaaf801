import { posix } from 'node:path'
import { stageOf } from './copied-trees.ts'
import { isWithin, readCopyStep } from './copy-step.ts'
import type { LockedProject } from './dockerfile.ts'
import { leavesFileAlone } from './harmless-run.ts'
import { readShellChain } from './shell-chain.ts'
import { readShellCommand } from './shell-command.ts'
import { walkStage } from './stage-steps.ts'
import { locateProject } from './step-files.ts'
import type { StepPlace } from './step-place.ts'
import { readExportCommand, TOOL_FILES } from './tool-command.ts'

/** What a requirements file was written from. */
export type ExportedLock = Omit<Extract<LockedProject, { tool: 'poetry' | 'pdm' | 'pipenv' }>, 'bytecode'>

/**
 * The lock that a requirements file of the image was exported from, by `poetry export`, `pdm export` or
 * `pipenv requirements`, in a step above or in another stage that it is copied from. Undefined where it is anything else.
 * @param path absolute
 */
export function exportedLock(path: string, place: StepPlace): ExportedLock | undefined {
  const { walk, graph, view } = place
  for (let index = place.index - 1; index >= 0; index--) {
    const step = walk.steps[index]
    if (step === undefined) continue
    if (step.instruction.keyword === 'RUN') {
      if (leavesFileAlone(step.instruction, path)) continue
      return exportOf(path, { ...place, index })
    }
    const copy = readCopyStep(step, graph)
    if (copy === undefined || !isWithin(path, copy.destination)) continue
    const [source, ...more] = copy.sources
    const from = copy.from === undefined ? undefined : stageOf(copy.from, graph)
    if (from === undefined || source === undefined || more.length > 0 || /[*?[]/.test(source)) return undefined
    const lands = copy.isFolder ? posix.join(copy.destination, posix.basename(source)) : copy.destination
    if (lands !== path) return undefined
    const other = walkStage(graph, from, view)
    return exportedLock(posix.join('/', source), { ...place, walk: other, index: other.steps.length })
  }
  return undefined
}

/** Reads the RUN that has written the file. */
function exportOf(path: string, place: StepPlace): ExportedLock | undefined {
  const step = place.walk.steps[place.index]
  const chain = step === undefined ? undefined : readShellChain(step.instruction)
  if (step === undefined || chain === undefined || 'code' in chain) return undefined
  const { workingDir, env } = step.before
  const [text, ...more] = chain.commands.filter((command) => command.includes(posix.basename(path)))
  if (text === undefined || more.length > 0 || chain.commands.some((command) => /^cd\b/.test(command))) return undefined
  const [, head = text, redirected] = /^([^<>|]*[^<>|\d&])>\s*([^\s<>|]+)$/.exec(text) ?? []
  const command = readShellCommand(head, (name) => env[name])
  const read = 'code' in command ? undefined : readExportCommand(command)
  const output = redirected ?? read?.output
  if (read === undefined || output === undefined || posix.resolve(workingDir, output) !== path) return undefined
  const { tool, selection, lock, hasHashes } = read
  const files = locateProject(TOOL_FILES[tool], workingDir, place)
  if ('code' in files) return undefined
  return {
    tool,
    folder: workingDir,
    ...files,
    selection,
    lock,
    leavesOut: 'project',
    isInstaller: false,
    hasHashes,
  }
}
