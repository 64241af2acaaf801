import { parse } from 'smol-toml'
import { isJsonRecord } from '../base/json-value.ts'
import { logicalLines } from './logical-lines.ts'
import { normalizeName } from './package-name.ts'

/** Versions by normalised name; of a name that a lock holds several times, all versions, sorted, with commas between. */
export type LockVersions = ReadonlyMap<string, string>

/**
 * Which versions a lock file names, whatever kind it is, told by its file name: `uv.lock`, `poetry.lock`, `pdm.lock`,
 * `pylock*.toml` (PEP 751), `Pipfile.lock`, or pinned lines of a requirements file. Only versions: markers and wheels
 * don't matter for the question what changed from one commit to the next.
 * @returns undefined when the text can't be read as what its name says
 */
export function readLockVersions(fileName: string, text: string): LockVersions | undefined {
  try {
    if (/(?:^|\/)(?:uv|poetry|pdm)\.lock$/.test(fileName)) return collect(entriesOf(parse(text).package))
    if (/(?:^|\/)pylock(?:\.[^/.]+)?\.toml$/.test(fileName)) return collect(entriesOf(parse(text).packages))
    if (/(?:^|\/)Pipfile\.lock$/.test(fileName)) return collect(pipfileEntries(JSON.parse(text)))
    return collect(pinnedLines(text))
  } catch {
    return undefined
  }
}

type Entry = readonly [name: string, version: string]

function collect(entries: readonly Entry[]): LockVersions {
  const versions = new Map<string, string[]>()
  for (const [name, version] of entries) {
    const normal = normalizeName(name)
    versions.set(normal, [...(versions.get(normal) ?? []), version])
  }
  return new Map([...versions].map(([name, all]) => [name, [...new Set(all)].sort().join(',')]))
}

function entriesOf(value: unknown): readonly Entry[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((entry: unknown): Entry[] => {
    if (!isJsonRecord(entry) || typeof entry.name !== 'string') return []
    return [[entry.name, typeof entry.version === 'string' ? entry.version : '']]
  })
}

function pipfileEntries(value: unknown): readonly Entry[] {
  if (!isJsonRecord(value) || !isJsonRecord(value.default)) return []
  return Object.entries(value.default).map(([name, entry]): Entry => {
    return [name, isJsonRecord(entry) && typeof entry.version === 'string' ? entry.version : '']
  })
}

function pinnedLines(text: string): readonly Entry[] {
  return logicalLines(text).flatMap(({ text: line }): Entry[] => {
    const [, name, version] = /^([a-z0-9][a-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*==\s*([^\s;,#]+)/i.exec(line.trim()) ?? []
    return name === undefined || version === undefined ? [] : [[name, version]]
  })
}
