import { formatBytes } from '../base/bytes.ts'
import { formatSeconds } from '../base/duration.ts'
import type { EntryFile } from '../stores/entry-folder.ts'

/** An entry of the local store as it is shown. Times are ISO 8601. */
export interface CacheEntry {
  /** The first digits of the last digest in the key: enough to name the entry by. */
  readonly id: string
  /** What is stored: `task`, `image`, `lease` … */
  readonly kind: string
  /** The readable end of the key, such as a task's name; may be empty. */
  readonly value: string
  readonly bytes: number
  readonly created: string
  readonly used: string
  readonly key: string
}

const KEY = /^image-cache-v\d+-([a-z][a-z0-9-]*?)((?:-[0-9a-f]{64})+)(?:-(.*))?$/
const ID_DIGITS = 12

/** Takes a key apart for people; a key that is none of ours is shown as it is. */
export function cacheEntry({ key, size, created, used }: EntryFile): CacheEntry {
  const [, kind = 'other', digests = '', value = ''] = KEY.exec(key) ?? []
  return {
    id: digests === '' ? key : digests.slice(-64, -64 + ID_DIGITS),
    kind,
    value,
    bytes: size,
    created: isoTime(created),
    used: isoTime(Math.max(used, created)),
    key,
  }
}

/** Whether an entry is meant: by its whole key, or by the beginning of one of the digests in it. */
export function isNamed({ key }: EntryFile, name: string): boolean {
  const wanted = name.toLowerCase().replace(/^sha256:/, '')
  const digests = key.match(/(?<=-)[0-9a-f]{64}(?=-|$)/g) ?? []
  return key === wanted || (/^[0-9a-f]{4,64}$/.test(wanted) && digests.some((digest) => digest.startsWith(wanted)))
}

/** Entries of a task: its results, and what its misses are explained by. */
export function isOfTask({ key }: EntryFile, slug: string): boolean {
  const { kind, value } = cacheEntry({ key, file: '', size: 0, created: 0, used: 0 })
  return (kind === 'task' || kind === 'task-history') && value.slice(value.indexOf('.') + 1) === slug
}

/** Columns with two spaces between them; an entry a line. */
export function entryLines(entries: readonly CacheEntry[], now: number): readonly string[] {
  const rows = entries.map(({ id, kind, value, bytes, used }) => [
    id,
    kind,
    formatBytes(bytes),
    `${ageOf(used, now)} ago`,
    value,
  ])
  const all = [['ID', 'KIND', 'SIZE', 'USED', 'WHAT'], ...rows]
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function ageOf(time: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(time)) / 1000)
  if (seconds < 3600) return formatSeconds(seconds)
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
