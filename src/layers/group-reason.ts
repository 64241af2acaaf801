import { formatBytes } from '../base/bytes.ts'
import type { ResolvedPackage } from '../python/resolution.ts'
import { familyOf, familyTitle } from './release-families.ts'

/** What a group looks like to the sentence that explains it. */
export interface GroupFacts {
  readonly packages: readonly ResolvedPackage[]
  /** Bytes. */
  readonly size: number
  readonly changeRate: number
  /** All bytes of the plan. */
  readonly total: number
  readonly maxLayerSize: number
  /** Whether the group stands as the previous plan left it. */
  readonly isKept: boolean
}

/** Why these packages stand together, one sentence without a full stop. */
export function groupReason(facts: GroupFacts): string {
  const { packages, size, changeRate, total } = facts
  const [first] = packages
  const often = `about ${Math.max(1, Math.round(changeRate * 100))} % of lock changes touch it`
  if (packages.length === 1 && first !== undefined) {
    if (size > facts.maxLayerSize) return `${first.name} alone is larger than a layer should be (${formatBytes(size)})`
    return facts.isKept
      ? `${first.name} is unchanged since the last plan, so its layer is reused`
      : `${first.name} is ${share(size, total)} of all bytes, so changes of others must not touch it`
  }
  if (size > facts.maxLayerSize) return 'larger than asked for, because there are no more layers to spread over'
  if (facts.isKept) return `none of its ${packages.length} packages changed since the last plan, so the layer is reused`
  const family = first === undefined ? -1 : familyOf(first.name)
  if (family >= 0 && packages.every((pkg) => familyOf(pkg.name) === family)) {
    return `parts of ${familyTitle(family)}, which are released together`
  }
  if (size < total * 0.1) return `${packages.length} light packages: cheap to rebuild, and ${often}`
  return `${packages.length} packages that change seldom for their size: ${often}`
}

function share(size: number, total: number): string {
  const percent = total === 0 ? 0 : (size / total) * 100
  return percent < 1 ? 'under 1 %' : `${Math.round(percent)} %`
}
