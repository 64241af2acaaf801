import type { BuildPlan } from './build-args.ts'
import type { PublishMode } from './publish-plan.ts'
import { unpushed } from './push-names.ts'

/** The calls that a publish plan comes to. */
export type PublishSteps =
  | { readonly order: 'one-call'; readonly image: BuildPlan }
  /** `together`: both at once; `after`: the cache once the image is there; `post`: at once, and not waited for. */
  | { readonly order: 'together' | 'after' | 'post'; readonly image: BuildPlan; readonly cache: BuildPlan }

/**
 * Splits a build into the calls of its mode. The call for the cache repeats the build's own arguments, so that the
 * daemon finds every step of it already done, or joins it where it runs. Beside the image's it makes the same image and
 * keeps it: without one, the export takes all layers of the final image along, the base's too, with records of merges
 * that have no result, and after the next change every group runs again (measured on v0.27.1, docs/decisions.md).
 */
export function publishSteps(plan: BuildPlan, mode: PublishMode): PublishSteps {
  const order = ORDERS[mode]
  const exports = plan.cacheTo.filter(({ type }) => type !== 'inline')
  if (order === 'one-call' || exports.length === 0) return { order: 'one-call', image: plan }
  const image = { ...plan, cacheTo: plan.cacheTo.filter(({ type }) => type === 'inline') }
  const cache: BuildPlan = {
    ...plan,
    annotations: [],
    tags: [],
    outputs: [order === 'after' ? NO_IMAGE : keptImage(plan.outputs)],
    cacheTo: exports,
    // Attestations belong to the image.
    provenance: 'false',
    sbom: undefined,
    // After the image everything is done, and must not be done anew; at once the two must be alike to be one.
    noCache: order !== 'after' && plan.noCache,
    pull: order !== 'after' && plan.pull,
    metadataFile: `${plan.metadataFile}.cache`,
  }
  return { order, image, cache }
}

const NO_IMAGE = 'type=cacheonly'

function keptImage(outputs: readonly string[]): string {
  const pushed = outputs.find((output) => output.startsWith('type=image,push=true'))
  return pushed === undefined ? NO_IMAGE : unpushed(pushed)
}

const ORDERS: Readonly<Record<PublishMode, PublishSteps['order']>> = {
  parallel: 'one-call',
  sequential: 'one-call',
  'push-only': 'one-call',
  'no-push': 'one-call',
  'two-clients': 'together',
  'image-first': 'after',
  post: 'post',
}
