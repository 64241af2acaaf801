import { lstatSync, type Stats } from 'node:fs'
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
  readonly inode: number
  /** All that changes when a file is written, replaced or renamed, as one text; empty for what is no file. */
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
    stats.push(new LookedAt(path, lstatSync(`${root}/${path}`)))
  }
  return stats
}

/** Numbers are made a text only where someone asks for it: of a hundred thousand files nobody does. */
class LookedAt implements EntryStat {
  readonly path: string
  readonly kind: EntryKind
  readonly mode: number
  readonly size: number
  readonly inode: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly device: number

  constructor(path: string, stats: Stats) {
    const kind = kindOf(stats)
    this.path = path
    this.kind = kind
    this.mode = kind === 'link' ? 0 : stats.mode & 0o7777
    this.size = stats.size
    this.inode = stats.ino
    this.mtimeMs = stats.mtimeMs
    this.ctimeMs = stats.ctimeMs
    this.device = kind === 'special' ? stats.rdev : 0
  }

  get stamp(): string {
    const { kind, size, mtimeMs, ctimeMs, inode, mode } = this
    return kind === 'file' ? `${size} ${mtimeMs} ${ctimeMs} ${inode} ${mode}` : ''
  }
}

function kindOf(stats: Stats): EntryKind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'folder'
  return stats.isSymbolicLink() ? 'link' : 'special'
}
