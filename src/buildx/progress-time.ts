const UPPER_Z = 90
const ZERO = 48

/**
 * Milliseconds since 1970, with fractions, of a time as BuildKit writes it (RFC 3339, up to nanoseconds).
 * Written by hand because it runs up to a million times in a big stream. @returns undefined for anything else, and for
 * the zero time of Go.
 */
export function parseTime(text: string): number | undefined {
  const last = text.length - 1
  if (text.length < 20 || text.charCodeAt(last) !== UPPER_Z) return parseSlowly(text)
  const whole = Date.UTC(
    digits(text, 0, 4),
    digits(text, 5, 7) - 1,
    digits(text, 8, 10),
    digits(text, 11, 13),
    digits(text, 14, 16),
    digits(text, 17, 19),
  )
  const fraction = last > 20 ? (digits(text, 20, last) / 10 ** (last - 20)) * 1000 : 0
  return known(whole + fraction, text)
}

function parseSlowly(text: string): number | undefined {
  return /^\d{4}-\d\d-\d\dT/.test(text) ? known(Date.parse(text), text) : undefined
}

function known(time: number, text: string): number | undefined {
  return Number.isNaN(time) || text.startsWith('000') ? undefined : time
}

function digits(text: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
