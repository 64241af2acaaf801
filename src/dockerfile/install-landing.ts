import type { InstallTarget } from './dockerfile.ts'
import type { CommandObstacle } from './install-command.ts'
import { landingObstacle } from './landing-place.ts'
import type { StepPlace } from './step-place.ts'
import { userPlaceObstacle } from './user-place.ts'
import type { VirtualEnvironment } from './virtual-environment.ts'

/** Environments are made anew by the step or one above it; other places must be untouched. */
export function installLanding(
  { kind, folder, makesEnvironment }: InstallTarget,
  place: StepPlace,
  made: readonly VirtualEnvironment[],
  makesOwn: boolean,
): CommandObstacle | undefined {
  if (folder === undefined) return undefined
  const { index, walk, graph, view, replaced, user } = place
  const isMade = kind === 'venv' && !makesEnvironment && !makesOwn
  if (isMade && made.some((environment) => environment.folder === folder)) return undefined
  const state = isMade ? 'made' : 'new'
  if (user !== undefined) return userPlaceObstacle(folder, place, user, state)
  return landingObstacle(folder, index, walk, graph, view, state, replaced)
}
