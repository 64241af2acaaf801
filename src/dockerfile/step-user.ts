import { isWithin, readCopyStep } from './copy-step.ts'
import type { BuildView } from './dockerfile.ts'
import type { CommandObstacle } from './install-command.ts'
import { isRoot } from './root-user.ts'
import { runText } from './run-text.ts'
import type { StageGraph } from './stage-graph.ts'
import type { StageStep } from './stage-steps.ts'
import type { StepPlace } from './step-place.ts'
import { userAccounts } from './user-accounts.ts'

/** The user other than root that a step runs as. */
export interface StepUser {
  /** As `COPY --chown` names it, so that files come to belong to the user and the group that the step gives its own. */
  readonly owner: string
  /** Its home folder, absolute; undefined where no step tells. */
  readonly home: string | undefined
}

/**
 * The user that a step runs as; undefined: root. Without a group in USER, BuildKit runs the step in the group that the
 * image's list of users has for it, and so does `COPY --chown` with a name; but for a number that takes the same number as
 * the group (seen on v0.33.1).
 */
export function stepUser({ index, walk, graph, view }: StepPlace): StepUser | CommandObstacle | undefined {
  const { user = '', env = {} } = walk.steps[index]?.before ?? {}
  if (isRoot(user)) return undefined
  const [id = '', group] = user.split(':')
  const above = walk.steps.slice(0, index)
  const accounts = userAccounts(above, graph)
  const account = accounts.findLast(({ name, uid }) => name === id || uid === id)
  // All that is made in a home of busybox's adduser takes over its group (setgid).
  const isHanded =
    walk.root?.libc === 'musl' && above.some(({ instruction }) => /\badduser\b/.test(runText(instruction)))
  if (isHanded)
    return { code: 'not-root', sentence: `adduser of Alpine makes homes that hand down their group; useradd does not` }
  const isNumber = /^\d+$/.test(id)
  if (!/^[\w.-]+(?::[\w.-]+)?$/.test(user) || id === '' || id === '0' || id === 'root')
    return { code: 'not-root', sentence: `the step runs as ${user}, which is no plain name or number` }
  if (isNumber && group === undefined && account === undefined)
    return {
      code: 'not-root',
      sentence: `the step runs as ${user}, whose group only the image tells; USER ${user}:${user} would, too`,
    }
  const owner = isNumber && group === undefined ? (account?.name ?? user) : user
  const home = env.HOME || account?.home
  const bringing = home && above.find((step) => bringsSettings(step, home, graph, view))
  if (bringing)
    return {
      code: 'environment',
      sentence: `line ${bringing.instruction.lines.first} may bring a settings file of pip or uv into ${home}`,
    }
  return { owner, home }
}

const SETTINGS = /(?:^|\/)(?:\.config\/(?:pip\/pip\.conf|uv\/uv\.toml)|\.pip\/pip\.conf|\.netrc)$/

function bringsSettings(step: StageStep, home: string, graph: StageGraph, { contextFiles }: BuildView): boolean {
  const to = readCopyStep(step, graph)?.destination
  if (to === undefined || !(isWithin(to, home) || isWithin(home, to))) return false
  return contextFiles.some((file) => SETTINGS.test(file))
}
