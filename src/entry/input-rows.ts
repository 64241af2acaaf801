import { redact } from '../base/redact.ts'
import { BUILD_INPUTS } from '../inputs/input-list.ts'
import type { ReadInput } from '../inputs/input-reader.ts'

/** Inputs that were given, for the report; of secrets the ids alone. */
export function inputRows(read: ReadInput): readonly (readonly [string, string])[] {
  return BUILD_INPUTS.flatMap(({ name, fallback }) => {
    const value = read(name).trim()
    if (value === '' || value === fallback || name === 'github-token') return []
    return [[name, name.startsWith('secret') ? secretIds(value) : redact(value)] as const]
  })
}

function secretIds(value: string): string {
  const ids = value.split(/\r?\n/).flatMap((line) => /^"?([\w.-]+)=/.exec(line.trim())?.[1] ?? [])
  return ids.map((id) => `${id}=***`).join(', ')
}
