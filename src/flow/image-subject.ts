import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatRepository } from '../registry/reference.ts'

/** What notes about an image are kept by: where it goes, and which image of the Dockerfile it is. */
export function imageSubject({ tags, target, platforms }: Pick<BuildInputs, 'tags' | 'target' | 'platforms'>): {
  readonly repositories: readonly string[]
  readonly target: string | undefined
  readonly platforms: readonly string[]
} {
  return {
    repositories: [...new Set(tags.map(formatRepository))].sort(),
    target,
    platforms: [...platforms].sort(),
  }
}
