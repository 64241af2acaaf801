import type { ResolvedPackage } from './resolution.ts'

/** The exact packages of one platform. */
export interface PlatformLock {
  /** `linux/amd64` */
  readonly platform: string
  readonly packages: readonly ResolvedPackage[]
}

/**
 * One list for all platforms of a build: a package with the wheels of all of them, and as each of them has it. Sizes are
 * those of the largest wheel.
 * @returns a text says why there is no such list: a package has several versions
 */
export function mergeLocks(locks: readonly PlatformLock[]): readonly ResolvedPackage[] | string {
  const merged = new Map<string, ReadonlyMap<string, ResolvedPackage>>()
  for (const { platform, packages } of locks) {
    for (const one of packages) {
      const known = merged.get(one.name) ?? new Map<string, ResolvedPackage>()
      const [other] = known.values()
      if (other !== undefined && other.version !== one.version)
        return `${one.name} is ${other.version} on ${[...known.keys()].join(' and ')}, and ${one.version} on ${platform}`
      merged.set(one.name, new Map([...known, [platform, one]]))
    }
  }
  return [...merged.values()].map((onPlatforms) => ({ ...[...onPlatforms.values()].reduce(both), onPlatforms }))
}

function both(a: ResolvedPackage, b: ResolvedPackage): ResolvedPackage {
  return {
    ...a,
    wheel: (a.wheel.size ?? 0) >= (b.wheel.size ?? 0) ? a.wheel : b.wheel,
    hashes: [...new Set([...a.hashes, ...b.hashes])],
    dependencies: [...new Set([...a.dependencies, ...b.dependencies])],
  }
}
