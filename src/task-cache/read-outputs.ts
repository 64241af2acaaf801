import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type EntryStat, readStats } from '../content/entry-stat.ts'
import { hashFiles } from '../content/hash-files.ts'
import type { StatCache } from '../content/stat-cache.ts'
import type { OutputEntry } from './output-manifest.ts'
import { type Selection, selectFiles } from './select-files.ts'

/** What lies in a workspace where a task's outputs go, not read yet. */
export interface OutputStats {
  readonly selection: Selection
  readonly stats: readonly EntryStat[]
}

/**
 * Looks at what a task's output patterns name now.
 * @throws Error of the file system when something can't be looked at
 */
export async function statOutputs(root: string, patterns: readonly string[]): Promise<OutputStats> {
  const selection = await selectFiles(root, patterns)
  return { selection, stats: await readStats(root, selection.paths) }
}

/**
 * Hashes outputs as they are to be kept.
 * @returns the entries, or a sentence about one that can't be kept
 * @throws Error of the file system when something can't be read
 */
export async function readOutputs(
  root: string,
  { stats }: OutputStats,
  signal: AbortSignal,
  statCache?: StatCache,
): Promise<readonly OutputEntry[] | string> {
  const special = stats.find(({ kind }) => kind === 'special')
  if (special !== undefined) return `the output ${special.path} is a pipe, a socket or a device`
  const files = stats.filter(({ kind }) => kind === 'file').map(({ path }) => path)
  const hashes = await hashFiles(root, files, { signal, statCache })
  return stats.flatMap(({ path, kind, mode, size }): OutputEntry[] => {
    if (kind === 'link') return [{ kind, path, target: readlinkSync(join(root, path)) }]
    if (kind === 'folder') return [{ kind, path, mode: mode & 0o777 }]
    const digest = hashes.get(path)?.digest
    return digest === undefined ? [] : [{ kind: 'file', path, mode: mode & 0o777, size, digest }]
  })
}

/** Whether a workspace holds just these outputs already. */
export async function isInPlace(
  root: string,
  entries: readonly OutputEntry[],
  present: OutputStats,
  signal: AbortSignal,
  openStatCache: () => Promise<StatCache | undefined>,
): Promise<boolean> {
  if (entries.length !== present.stats.length) return false
  const stats = new Map(present.stats.map((stat) => [stat.path, stat]))
  const alike = entries.every((entry) => {
    const stat = stats.get(entry.path)
    if (stat?.kind !== entry.kind) return false
    return (
      entry.kind === 'link' ||
      ((stat.mode & 0o777) === entry.mode && (entry.kind === 'folder' || entry.size === stat.size))
    )
  })
  if (!alike) return false
  const statCache = await openStatCache()
  const now = await readOutputs(root, present, signal, statCache)
  await statCache?.saveSoon()
  if (typeof now === 'string') return false
  const wanted = new Map(entries.map((entry) => [entry.path, contentOf(entry)]))
  return now.every((entry) => wanted.get(entry.path) === contentOf(entry))
}

function contentOf(entry: OutputEntry): string {
  if (entry.kind === 'file') return entry.digest
  return entry.kind === 'link' ? `-> ${entry.target}` : ''
}
