import { formatBytes } from '../base/bytes.ts'
import type { LayerPlan } from './layer-plan.ts'

/** One layer of a plan in words, for tables. */
export interface ExplainedLayer {
  /** 1 for the bottom layer. */
  readonly layer: number
  /** `torch 2.7.0`, sorted by name. */
  readonly packages: readonly string[]
  /** The largest names and how many more: `torch, triton and 3 more`. */
  readonly title: string
  /** `850.0 MB` */
  readonly size: string
  /** Chance that the next lock change touches the layer: `12 %`. */
  readonly changeRate: string
  readonly reason: string
}

const NAMED = 3

/** A plan as rows of a table, bottom layer first. */
export function explainPlan(plan: LayerPlan): readonly ExplainedLayer[] {
  return plan.groups.map((group, index) => {
    const bySize = [...group.packages].sort((a, b) => (b.wheel.size ?? 0) - (a.wheel.size ?? 0))
    const named = bySize.slice(0, NAMED).map((pkg) => pkg.name)
    const more = group.packages.length - named.length
    return {
      layer: index + 1,
      packages: group.packages.map((pkg) => `${pkg.name} ${pkg.version}`),
      title: more === 0 ? named.join(', ') : `${named.join(', ')} and ${more} more`,
      size: formatBytes(group.size),
      changeRate: group.changeRate < 0.01 ? 'under 1 %' : `${Math.round(group.changeRate * 100)} %`,
      reason: group.reason,
    }
  })
}
