import type { ResolvedPackage } from '../python/resolution.ts'

/** Packages that share one image layer. */
export interface LayerGroup {
  /** Sorted by name. */
  readonly packages: readonly ResolvedPackage[]
  /** Compressed bytes, estimated. */
  readonly size: number
  /** Probability that the next change of the lock touches this layer, 0 to 1. */
  readonly changeRate: number
  /** Why these packages stand together, one sentence. */
  readonly reason: string
}

/** How packages are spread over layers, bottom layer first. Every package is in exactly one group. */
export interface LayerPlan {
  readonly groups: readonly LayerGroup[]
}
