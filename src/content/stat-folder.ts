import { join } from 'node:path'

/**
 * Where hashes of files are kept from run to run, beside the local store.
 * @returns undefined where the environment names no place for caches
 */
export function statFolder(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'image-cache-action', 'stats')
  return env.HOME ? join(env.HOME, '.cache', 'image-cache-action', 'stats') : undefined
}
