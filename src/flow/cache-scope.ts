import type { BuildInputs } from '../inputs/build-inputs.ts'

/** Tells the caches of one repository apart by target and platforms: a legal part of a tag (distribution spec). */
export function cacheScope(inputs: BuildInputs): string {
  const parts = [inputs.target ?? 'image', ...[...inputs.platforms].sort()]
  return parts
    .join('-')
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .slice(0, 100)
}
