import { formatBytes } from '../base/bytes.ts'
import type { ResolvedPackage } from '../python/resolution.ts'
import { countBits } from './change-history.ts'
import { changeChance, lockTime, wheelAge } from './change-rate.ts'
import type { LayerPlan } from './layer-plan.ts'
import { familyOf, familyTitle } from './release-families.ts'

/** Where one package of a plan is, why, and what its next change costs. */
export interface ExplainedPackage {
  readonly name: string
  readonly version: string
  /** 1 for the bottom layer. */
  readonly layer: number
  /** Compressed bytes of the wheel; undefined when nobody told. */
  readonly bytes: number | undefined
  /** Compressed bytes that are rebuilt and pushed when this package changes: those of its layer. */
  readonly costOfChange: number
  /** Age of the wheel in days when the lock was made; undefined when the index doesn't tell. */
  readonly ageDays: number | undefined
  /** Remembered lock changes that touched it, and how many are remembered. */
  readonly changes: { readonly seen: number; readonly of: number }
  /** Sentences without full stops. */
  readonly why: readonly string[]
}

/** Every package of a plan, sorted by name. */
export function explainPackages(plan: LayerPlan): readonly ExplainedPackage[] {
  const now = lockTime(plan.groups.flatMap(({ packages }) => packages))
  return plan.groups
    .flatMap(({ packages, size, reason }, index) =>
      packages.map((pkg): ExplainedPackage => {
        const { uploadedAt } = pkg.wheel
        const facts = {
          name: pkg.name,
          version: pkg.version,
          layer: index + 1,
          bytes: pkg.wheel.size,
          costOfChange: size,
          ageDays: uploadedAt === undefined || now === undefined ? undefined : Math.floor(wheelAge(uploadedAt, now)),
          changes: { seen: countBits(plan.history?.touched.get(pkg.name) ?? 0), of: plan.history?.changes ?? 0 },
        }
        return { ...facts, why: [reason, ...reasonsOf(pkg, facts, packages)] }
      }),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function reasonsOf(
  pkg: ResolvedPackage,
  facts: Omit<ExplainedPackage, 'why'>,
  group: readonly ResolvedPackage[],
): readonly string[] {
  const family = familyOf(pkg.name)
  const title = family < 0 ? undefined : familyTitle(family)
  const kin = group.filter((other) => other !== pkg && family >= 0 && familyOf(other.name) === family)
  const { ageDays, changes, bytes } = facts
  const needs = pkg.dependencies.length
  const chance = (days: number): string =>
    `about ${Math.round(changeChance(days, needs) * 100)} % of next lock changes touch such packages`
  return [
    bytes === undefined ? 'its size is not known and was estimated by its name' : `its wheel has ${formatBytes(bytes)}`,
    ageDays === undefined
      ? 'the index does not tell how old its wheel is'
      : `its wheel was ${ageDays} days old, and it needs ${needs} of the others: ${chance(ageDays)}`,
    ...(changes.of === 0 ? [] : [`${changes.seen} of the last ${changes.of} lock changes touched it`]),
    ...(kin.length === 0 ? [] : [`also of ${title} and in the same layer: ${kin.map(({ name }) => name).join(', ')}`]),
  ]
}
