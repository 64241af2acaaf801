import type { ResolvedPackage } from '../python/resolution.ts'

const DAY = 86_400

/** Age in days that a package counts as when its index doesn't tell, and in a plan that must not look at ages. */
export const USUAL_AGE = 200

/**
 * Chance that the next change of a lock changes a package too. Young wheels belong to projects that release often, and
 * a package that needs many others does, too. Its odds are fitted to real lock histories.
 * @param days age of the wheel; below zero counts as zero.
 * @param dependencies how many packages of the lock it needs
 */
export function changeChance(days: number, dependencies: number): number {
  const odds = Math.exp(-1.4 - 0.45 * Math.log(Math.max(0, days) + 2) + 0.25 * Math.log1p(dependencies))
  return odds / (1 + odds)
}

/** Expected changes per lock change: the sum of these over packages is what `unionChance` takes. */
export function changeIntensity(days: number, dependencies: number): number {
  return -Math.log(1 - changeChance(days, dependencies))
}

/**
 * Chance that a lock change touches any of several packages, from the sum of their intensities. Lock changes are
 * either small or refresh nearly everything, so packages change together more often than independent ones would: the
 * mean over gamma-distributed sizes of change, 1 - (1 + sum/k)^-k, with k = 1/2.
 */
export function unionChance(intensity: number): number {
  return 1 - 1 / Math.sqrt(1 + 2 * intensity)
}

/**
 * The moment a lock speaks of, in seconds since 1970: its newest upload. Ages count from here and never from the
 * clock, so that the same lock gives the same plan on any day. Undefined when no package tells its upload time.
 */
export function lockTime(packages: readonly ResolvedPackage[]): number | undefined {
  let newest: number | undefined
  for (const { wheel } of packages) {
    if (wheel.uploadedAt !== undefined && (newest === undefined || wheel.uploadedAt > newest)) newest = wheel.uploadedAt
  }
  return newest
}

/** Age of a package's wheel in days at the time of its lock. */
export function wheelAge(uploadedAt: number | undefined, now: number | undefined): number {
  return uploadedAt === undefined || now === undefined ? USUAL_AGE : (now - uploadedAt) / DAY
}
