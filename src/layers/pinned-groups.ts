import type { ResolvedPackage } from '../python/resolution.ts'

/** Names or patterns (`nvidia-*`) of packages that a user wants in one layer. */
export type LayerPin = readonly string[]

/** Packages that a user put into one layer. */
export interface PinnedGroup {
  readonly pin: LayerPin
  /** Sorted by name, never empty. */
  readonly packages: readonly ResolvedPackage[]
}

/**
 * The layers that the user fixed, in the user's order. A package belongs to the first pin that names it; a pin that
 * names no package of the lock makes no layer.
 */
export function pinnedGroups(packages: readonly ResolvedPackage[], pins: readonly LayerPin[]): readonly PinnedGroup[] {
  const taken = new Set<ResolvedPackage>()
  return pins.flatMap((pin) => {
    const matches = pin.map(patternOf)
    const members = packages.filter((pkg) => !taken.has(pkg) && matches.some((pattern) => pattern.test(pkg.name)))
    for (const pkg of members) taken.add(pkg)
    return members.length === 0 ? [] : [{ pin, packages: members }]
  })
}

/** `*` stands for any run of characters, as in a shell. */
function patternOf(glob: string): RegExp {
  const parts = glob.split('*').map((part) => part.replace(/[^a-z0-9]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
