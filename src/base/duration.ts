const UNITS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/**
 * Seconds in a duration such as `90s`, `15m`, `12h`, `1d`, or plain `0`.
 * @returns undefined when the text is no such duration.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  if (amount === undefined || unit === undefined || !isUnit(unit)) return undefined
  return Number(amount) * UNITS[unit]
}

/** Seconds as people read them: `0.06 s`, `12.4 s`, `2 min 14 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`
  if (seconds < 100) return `${seconds.toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

function isUnit(text: string): text is keyof typeof UNITS {
  return text in UNITS
}
