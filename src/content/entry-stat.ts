import { lstatSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'

/** `special` is a pipe, a socket or a device: it is named, never read. */
export type EntryKind = 'file' | 'link' | 'folder' | 'special'

/** What the file system says of an entry, links not followed. */
export interface EntryStat {
  readonly path: string
  readonly kind: EntryKind
  /** Permission bits with set-id and sticky bits; 0 for links, whose bits mean nothing. */
  readonly mode: number
  /** Bytes. */
  readonly size: number
  /** All that changes when the file is written, replaced or renamed; compared as a whole. */
  readonly stamp: string
  /** When its content and when its entry last changed, milliseconds since 1970 by the file system's clock. */
  readonly mtimeMs: number
  readonly ctimeMs: number
  /** Tells devices apart; 0 for all else. */
  readonly device: number
}

/** Entries that are looked at in one go, before others get their turn. */
const SLICE = 1000

/**
 * Looks at many entries. Synchronous calls are several times cheaper than promises here; a pause between slices lets
 * answers of the network through.
 * @param root absolute
 * @param paths relative to it
 * @throws Error of the file system when an entry isn't there or may not be looked at
 */
export async function readStats(
  root: string,
  paths: readonly string[],
  signal?: AbortSignal,
): Promise<readonly EntryStat[]> {
  const stats: EntryStat[] = []
  for (const [index, path] of paths.entries()) {
    if (index % SLICE === SLICE - 1) {
      await pause()
      signal?.throwIfAborted()
    }
    stats.push(entryStat(path, lstatSync(join(root, path))))
  }
  return stats
}

function entryStat(path: string, stats: Stats): EntryStat {
  const { size, mtimeMs, ctimeMs, ino, mode } = stats
  const kind = kindOf(stats)
  return {
    path,
    kind,
    mode: kind === 'link' ? 0 : mode & 0o7777,
    size,
    stamp: kind === 'file' ? `${size} ${mtimeMs} ${ctimeMs} ${ino} ${mode}` : '',
    mtimeMs,
    ctimeMs,
    device: kind === 'special' ? stats.rdev : 0,
  }
}

function kindOf(stats: Stats): EntryKind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  return stats.isSymbolicLink() ? 'link' : 'special'
}
