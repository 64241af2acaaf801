import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { codeOf } from '../base/errors.ts'
import { compilePatterns, type FilePatterns } from './file-patterns.ts'

/** What patterns name in a folder. */
export interface Selection {
  /** Files, links and empty folders, relative to the root, sorted. */
  readonly paths: readonly string[]
  /** Patterns that name nothing. */
  readonly unmatched: readonly string[]
  /** Folders that lie in the patterns' reach and were not opened, because all of their content is left out. */
  readonly shut: readonly string[]
}

interface Search {
  readonly root: string
  readonly wanted: FilePatterns
  readonly except: FilePatterns
  readonly found: string[]
  readonly shut: string[]
  /** Folders that were read. */
  opened: number
}

/** Folders that are read in one go. */
const SLICE = 100

/**
 * Finds files by patterns. Links are themselves, not what they point to; folders count when they are empty.
 * @param except patterns whose files are left out
 * @throws Error of the file system when a folder can't be read
 */
export async function selectFiles(
  root: string,
  patterns: readonly string[],
  except: readonly string[] = [],
): Promise<Selection> {
  const compiled = compilePatterns(patterns)
  const search: Search = { root, wanted: compiled, except: compilePatterns(except), found: [], shut: [], opened: 0 }
  for (const base of compiled.bases) await searchBase(search, base)
  const paths = search.found.sort()
  const unmatched = compiled.positives.filter(({ matches }) => !paths.some(matches)).map(({ pattern }) => pattern)
  return { paths, unmatched, shut: search.shut.sort() }
}

async function searchBase(search: Search, base: string): Promise<void> {
  if (base !== '' && isShut(search, base)) return
  const stats = unlessGone(() => lstatSync(join(search.root, base)))
  if (stats === undefined) return
  if (stats.isDirectory()) await walk(search, base)
  else note(search, base)
}

/** Folder by folder: reading one takes less time than waiting for it, and after some others get their turn. */
async function walk(search: Search, base: string): Promise<void> {
  const open = [base]
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    search.opened += 1
    if (search.opened % SLICE === 0) await pause()
    const here = join(search.root, folder)
    const entries: readonly Dirent[] = unlessGone(() => readdirSync(here, { withFileTypes: true })) ?? []
    if (entries.length === 0 && folder !== '') note(search, folder)
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (!entry.isDirectory()) note(search, path)
      else (isShut(search, path) ? search.shut : open).push(path)
    }
  }
}

/** Things may go while others are read: a task's outputs come and go. */
function unlessGone<Answer>(read: () => Answer): Answer | undefined {
  try {
    return read()
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

function note({ wanted, except, found }: Search, path: string): void {
  if (wanted.matches(path) && !except.matches(path)) found.push(path)
}

function isShut({ wanted, except }: Search, folder: string): boolean {
  return wanted.excludes(folder) || except.covers(folder)
}
