import type { Flag } from './dockerfile.ts'
import type { HealthCheck } from './image-settings.ts'
import { jsonStrings } from './instruction-words.ts'

/**
 * Reads the arguments of HEALTHCHECK (Dockerfile reference, "HEALTHCHECK").
 * @returns a sentence when they are not understood.
 */
export function readHealthCheck(flags: readonly Flag[], rest: string): HealthCheck | string {
  const [, word = '', command = ''] = /^(\S+)\s*(.*)$/s.exec(rest) ?? []
  const type = word.toUpperCase()
  const times = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 }
  // BuildKit doesn't look at the flags of NONE.
  if (type === 'NONE') return command === '' ? { test: ['NONE'], ...times } : 'HEALTHCHECK NONE takes no arguments'
  if (type !== 'CMD' || command === '') return 'HEALTHCHECK is neither CMD nor NONE'
  const strings = jsonStrings(command)
  if (strings === 'not-strings' || strings?.length === 0) return 'the command of HEALTHCHECK is not a list of texts'
  const test = strings === undefined ? ['CMD-SHELL', command] : ['CMD', ...strings]
  const read = readFlags(flags)
  return typeof read === 'string' ? read : { test, ...times, ...read }
}

const TIMES: Readonly<Record<string, 'interval' | 'timeout' | 'startPeriod' | 'startInterval'>> = {
  interval: 'interval',
  timeout: 'timeout',
  'start-period': 'startPeriod',
  'start-interval': 'startInterval',
}

function readFlags(flags: readonly Flag[]): Partial<HealthCheck> | string {
  const read: Record<string, number> = {}
  for (const { name, value = '' } of flags) {
    const field = TIMES[name] ?? (name === 'retries' ? 'retries' : undefined)
    if (field === undefined || field in read) return `--${name} of HEALTHCHECK is not understood`
    const number = field === 'retries' ? count(value) : nanoseconds(value)
    if (number === undefined) return `--${name}=${value} of HEALTHCHECK is not understood`
    read[field] = number
  }
  return read
}

function count(text: string): number | undefined {
  if (text === '') return 0
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

const UNITS: Readonly<Record<string, number>> = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** `1m30s`, as Go reads it; at least a millisecond, or zero. */
function nanoseconds(text: string): number | undefined {
  if (text === '' || text === '0') return 0
  if (!/^(?:\d+(?:\.\d{1,3})?(?:ms|s|m|h))+$/.test(text)) return undefined
  let total = 0
  for (const [, number = '', unit = ''] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) {
    // Whole thousandths first: fractions such as 0.3 are not exact.
    total += Math.round(Number(number) * 1000) * ((UNITS[unit] ?? 0) / 1000)
  }
  return Number.isSafeInteger(total) && (total === 0 || total >= 1e6) ? total : undefined
}
