import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { decodePlan, encodePlan, type PreviousPlan } from '../layers/previous-plan.ts'
import { imageConfig } from '../registry/image-config.ts'
import { formatRepository } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { StoreKey } from '../stores/store.ts'
import { storeKey } from '../stores/store-key.ts'
import { recallNote, saveNote } from './notes.ts'
import type { PlannedDockerfile } from './plan-dockerfile.ts'
import { targetPlatform } from './source.ts'

/**
 * The plan of the last build of this image and stage: with it, unchanged layers stay as they are. Where the store has
 * none, the image under the first of the tags that exists tells it, if it was composed. Undefined when nobody can tell;
 * then layers are planned from the lock alone.
 */
export async function recallPlan(
  inputs: BuildInputs,
  stage: number,
  { store, registry }: Pick<Deps, 'store' | 'registry'>,
): Promise<PreviousPlan | undefined> {
  const note = await recallNote(planKey(inputs, stage), store)
  if (note !== undefined) return decodePlan(note)
  return inputs.push ? await planOfImage(inputs, stage, registry) : undefined
}

async function planOfImage(inputs: BuildInputs, stage: number, registry: Registry): Promise<PreviousPlan | undefined> {
  const platform = targetPlatform(inputs)
  for (const tag of inputs.tags) {
    // A registry that doesn't answer will say so when something is pushed.
    const image = await imageConfig(registry, tag, platform).catch(() => undefined)
    if (image?.kind === 'found') return decodePlan(image.annotations[annotationName(stage)] ?? '')
  }
  return undefined
}

/** Annotations that keep the plans with a composed image, for a job whose store has forgotten them. */
export function planAnnotations({
  layers,
}: {
  readonly layers: readonly Pick<PlannedDockerfile['layers'][number], 'stage' | 'plan'>[]
}): Readonly<Record<string, string>> {
  return Object.fromEntries(layers.map(({ stage, plan }) => [annotationName(stage), encodePlan(plan)]))
}

function annotationName(stage: number): string {
  return `image-cache.plan.${stage}`
}

/** Notes the plans of a build that went well. The newest counts. */
export function rememberPlans(inputs: BuildInputs, dockerfile: PlannedDockerfile, deps: Deps): void {
  for (const { stage, plan } of dockerfile.layers) saveNote(planKey(inputs, stage), encodePlan(plan), deps)
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
