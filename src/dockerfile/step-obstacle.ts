import { posix } from 'node:path'
import { isWithin } from './copy-step.ts'
import type { CommandObstacle } from './install-command.ts'
import { isSwitchedOff } from './install-text.ts'
import { runMounts } from './run-mounts.ts'
import { isUsualShell } from './shell-command.ts'
import type { StageGraph } from './stage-graph.ts'
import { expandIn, type StageStep } from './stage-steps.ts'

/** What is written into a mount is no part of the image. */
export function mountedThere(step: StageStep, prefix: string, graph: StageGraph): CommandObstacle | undefined {
  const targets = runMounts(step.instruction).map(({ target }) =>
    posix.resolve(step.before.workingDir, expandIn(graph, step, target)),
  )
  const there = targets.find((target) => isWithin(prefix, target) || isWithin(target, prefix))
  return there === undefined
    ? undefined
    : { code: 'mount', sentence: `the step mounts ${there}, and the packages go to ${prefix}` }
}

/** Why a step can't be read at all: its comment, its shell, its mounts. */
export function stepObstacle({ instruction, before }: StageStep): CommandObstacle | undefined {
  if (isSwitchedOff(instruction))
    return { code: 'switched-off', sentence: 'a comment above the step says image-cache: off' }
  if (instruction.keyword !== 'RUN')
    return { code: 'stage-base', sentence: 'the command is a trigger for other builds (ONBUILD)' }
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
