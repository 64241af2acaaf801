import { type CacheOption, parseCacheOption } from '../buildx/cache-option.ts'
import type { InputReader } from './input-reader.ts'

/** Caches of one side: made for the user, switched off, or the user's own entries. */
export type CacheChoice =
  | { readonly kind: 'auto' }
  | { readonly kind: 'off' }
  | { readonly kind: 'given'; readonly options: readonly CacheOption[] }

/** Reads the caches of one side. */
export function cacheChoice(reader: InputReader, name: 'cache-from' | 'cache-to'): CacheChoice {
  const lines = reader.lines(name)
  if (lines.length === 0) return { kind: 'auto' }
  if (lines.length === 1 && lines[0] === 'off') return { kind: 'off' }
  const options = lines.flatMap((line) => {
    const option = parseCacheOption(line)
    if (typeof option === 'string') reader.mistake(name, line, option)
    else return [option]
    return []
  })
  return { kind: 'given', options }
}
