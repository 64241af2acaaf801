import type { InstallStep } from './dockerfile.ts'

type Install = Pick<InstallStep, 'installer' | 'target' | 'project' | 'settings' | 'noDeps'>

/**
 * Whether the packages of a lock come to lie over those that pip has put into the same place before, as where poetry
 * itself was installed there: a tool with a lock replaces what is there in another version and leaves all else alone.
 * (uv sync takes away what its lock doesn't name.)
 */
export function isLaidOver({ target, project }: Install, below: Install): boolean {
  if (project === undefined || project.tool === 'uv') return false
  if (below.noDeps === true || below.project !== undefined || below.installer !== 'pip') return false
  const { indexUrl, extraIndexUrls, findLinks, preReleases } = below.settings
  const isPlain = indexUrl === undefined && extraIndexUrls.length + findLinks.length === 0 && !preReleases
  return isPlain && below.target.kind === target.kind && below.target.folder === target.folder
}
