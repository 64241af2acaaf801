import { hexOf } from '../base/digest.ts'
import { keyHash } from '../base/key-hash.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { decodePlan, encodePlan, type PreviousPlan } from '../layers/previous-plan.ts'
import { formatRepository } from '../registry/reference.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { answersPrefix, storeKey, withValue } from '../stores/store-key.ts'
import type { PlannedDockerfile } from './plan-dockerfile.ts'

/**
 * The plan of the last build of this image and stage: with it, unchanged layers stay as they are. Undefined when there
 * is none or the store can't tell; then layers are planned from the lock alone.
 */
export async function recallPlan(inputs: BuildInputs, stage: number, store: Store): Promise<PreviousPlan | undefined> {
  const prefix = planKey(inputs, stage)
  const found = await store.fetch(prefix)
  if (found.kind !== 'hit' || !answersPrefix(found.key, prefix)) return undefined
  return decodePlan(Buffer.from(found.body).toString('utf8'))
}

/** Notes the plans of a build that went well. The newest counts. */
export function rememberPlans(inputs: BuildInputs, dockerfile: PlannedDockerfile, deps: Deps): void {
  const time = Math.floor(deps.clock.now()).toString(36).padStart(9, '0')
  for (const { stage, plan } of dockerfile.layers) {
    const body = encodePlan(plan)
    deps.saveLater({ key: withValue(planKey(inputs, stage), `${time}-${hexOf(keyHash(body))}`), body })
  }
}

function planKey(inputs: BuildInputs, stage: number): StoreKey {
  return storeKey('plan', inputs.salt, {
    repositories: [...new Set(inputs.tags.map(formatRepository))],
    target: inputs.target,
    platforms: inputs.platforms,
    maxLayers: inputs.maxLayers,
    stage,
  })
}
