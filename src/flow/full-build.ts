import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { keyTime, storeKey, withValue } from '../stores/store-key.ts'
import { imageSubject } from './image-subject.ts'

/** Seconds that the last build took in which every step ran: what other runs are compared with. */
export async function recallFullBuild(inputs: BuildInputs, store: Store): Promise<number | undefined> {
  const prefix = `${fullBuildKey(inputs)}-`
  const found = await store.lookUp(fullBuildKey(inputs))
  if (found.kind !== 'hit' || !found.key.startsWith(prefix)) return undefined
  const [, , tenths] = /^([0-9a-z]{9})-([0-9a-z]{1,6})$/.exec(found.key.slice(prefix.length)) ?? []
  return tenths === undefined ? undefined : Number.parseInt(tenths, 36) / 10
}

/** Notes how long a full build took. The number stands in the key: reading it downloads nothing. */
export function rememberFullBuild(inputs: BuildInputs, seconds: number, deps: Pick<Deps, 'clock' | 'saveLater'>): void {
  if (inputs.tags.length === 0) return
  const tenths = Math.round(seconds * 10).toString(36)
  deps.saveLater({
    key: withValue(fullBuildKey(inputs), `${keyTime(deps.clock.now())}-${tenths}`),
    body: String(seconds),
  })
}

/** Whether every step of the Dockerfile ran, so that nothing was saved. */
export function isFull({ steps, executedRuns }: Pick<BuildTimeline, 'steps' | 'executedRuns'>): boolean {
  return executedRuns.length > 0 && !steps.some(({ kind, cached }) => kind === 'run' && cached)
}

function fullBuildKey(inputs: BuildInputs): StoreKey {
  return storeKey('full-build', inputs.salt, imageSubject(inputs))
}
