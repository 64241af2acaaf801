/** Bytes as people read them, in decimal units as registries count them: `999 B`, `12 kB`, `154.5 MB`, `2.8 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  if (bytes < 999_500) return `${Math.round(bytes / 1000)} kB`
  if (bytes < 999_950_000) return `${(bytes / 1e6).toFixed(1)} MB`
  return `${(bytes / 1e9).toFixed(1)} GB`
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ...([
    ['', 1],
    ['b', 1],
  ] as const),
  ...([
    ['kb', 1e3],
    ['mb', 1e6],
    ['gb', 1e9],
  ] as const),
  ...([
    ['kib', 2 ** 10],
    ['mib', 2 ** 20],
    ['gib', 2 ** 30],
  ] as const),
])

/** Bytes from what people write: `500MB`, `1.5 GB`, `2GiB`, `1000`; undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? []
  const factor = UNITS.get(unit.toLowerCase())
  return count === undefined || factor === undefined ? undefined : Math.round(Number(count) * factor)
}
