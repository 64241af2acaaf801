import type { ResolvedPackage } from './resolution.ts'

/** The exact packages of one platform. */
export interface PlatformLock {
  /** `linux/amd64` */
  readonly platform: string
  readonly packages: readonly ResolvedPackage[]
}

/**
 * One list for all platforms of a build: a package with the wheels of all of them, and the names of the platforms where
 * not all of them take it. Sizes are those of the largest wheel.
 * @returns a text says why there is no such list: a package has several versions
 */
export function mergeLocks(locks: readonly PlatformLock[]): readonly ResolvedPackage[] | string {
  const merged = new Map<string, ResolvedPackage>()
  for (const { platform, packages } of locks) {
    for (const one of packages) {
      const known = merged.get(one.name)
      if (known !== undefined && known.version !== one.version) {
        return `${one.name} is ${known.version} on ${(known.platforms ?? []).join(' and ')}, and ${one.version} on ${platform}`
      }
      merged.set(one.name, known === undefined ? { ...one, platforms: [platform] } : both(known, one, platform))
    }
  }
  return [...merged.values()].map(({ platforms = [], ...one }) =>
    platforms.length === locks.length ? one : { ...one, platforms },
  )
}

function both(a: ResolvedPackage, b: ResolvedPackage, platform: string): ResolvedPackage {
  return {
    ...a,
    wheel: (a.wheel.size ?? 0) >= (b.wheel.size ?? 0) ? a.wheel : b.wheel,
    hashes: [...new Set([...a.hashes, ...b.hashes])],
    dependencies: [...new Set([...a.dependencies, ...b.dependencies])],
    platforms: [...(a.platforms ?? []), platform],
  }
}
