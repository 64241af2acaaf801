import { isWithin, readCopyStep } from './copy-step.ts'
import { leavesFolderAlone } from './harmless-run.ts'
import { isInstallText } from './install-text.ts'
import { copiesInto, isOpaque } from './locate-in-context.ts'
import { allCommands } from './shell-chain.ts'
import type { StageStep } from './stage-steps.ts'
import type { StepPlace } from './step-place.ts'

const ROOT_CACHE = '/root/.cache'

/** Whether something besides what installs leave there may lie in root's cache folder: models that were fetched, say. */
export function mayHoldOthers({
  index,
  walk,
  graph,
  view,
}: Pick<StepPlace, 'index' | 'walk' | 'graph' | 'view'>): boolean {
  return walk.steps.slice(0, index).some((step) => {
    if (step.instruction.keyword === 'RUN') return mayWrite(step)
    const copy = readCopyStep(step, graph)
    if (copy === undefined) return false
    if (isWithin(copy.destination, ROOT_CACHE)) return true
    return isOpaque(copy) ? isWithin(ROOT_CACHE, copy.destination) : copiesInto(copy, ROOT_CACHE, view.contextFiles)
  })
}

function mayWrite({ instruction, before }: StageStep): boolean {
  const commands = instruction.json === undefined ? allCommands(instruction) : [{ text: instruction.json.join(' ') }]
  return commands?.every(({ text }) => isInstallText(text) || leavesAlone(text)) !== true

  function leavesAlone(text: string): boolean {
    const run = { ...instruction, rest: text, json: undefined, heredocs: [] }
    return leavesFolderAlone(run, ROOT_CACHE, before.workingDir)
  }
}
