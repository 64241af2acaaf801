import type { CacheMode } from './task.ts'

const ALIASES: Readonly<Record<string, CacheMode>> = {
  auto: 'auto',
  enable: 'auto',
  enabled: 'auto',
  on: 'auto',
  yes: 'auto',
  true: 'auto',
  override: 'override',
  disable: 'disable',
  disabled: 'disable',
  off: 'disable',
  no: 'disable',
  none: 'disable',
  false: 'disable',
}

/** What may be written for a cache mode, for messages. */
export const CACHE_MODE_WORDS: readonly string[] = Object.keys(ALIASES)

/**
 * Reads a cache mode or one of its other names, whatever the case.
 * @returns undefined when it is none of `CACHE_MODE_WORDS`
 */
export function parseCacheMode(text: string): CacheMode | undefined {
  const word = text.trim().toLowerCase()
  return Object.hasOwn(ALIASES, word) ? ALIASES[word] : undefined
}
