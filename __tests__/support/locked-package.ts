import { digestOf } from '../../src/base/digest.ts'
import type { ResolvedPackage } from '../../src/python/resolution.ts'

/** 2026-01-01, in seconds. */
export const LOCK_DAY = 1_767_225_600

/** A package as a lock would hold it; its hash follows from name and version. */
export function lockedPackage(name: string, version = '1.0', size?: number, ageInDays?: number): ResolvedPackage {
  return {
    name,
    version,
    wheel: {
      fileName: `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`,
      size,
      uploadedAt: ageInDays === undefined ? undefined : LOCK_DAY - Math.round(ageInDays * 86_400),
    },
    hashes: [digestOf(`${name} ${version}`)],
    dependencies: [],
  }
}
