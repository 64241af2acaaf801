import { hash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as pause } from 'node:timers/promises'
import { type Clock, systemClock } from '../base/clock.ts'
import { type Digest, toDigest } from '../base/digest.ts'
import type { EntryKind } from '../content/entry-stat.ts'
import { gitBlobs } from '../content/git-blobs.ts'
import { type EntryHash, hashEntries } from '../content/hash-entries.ts'
import { StatCache } from '../content/stat-cache.ts'
import type { Exec } from '../exec/exec.ts'
import { readIgnorePatterns } from './ignore-patterns.ts'

/** A build context as BuildKit would read it: what .dockerignore leaves, and one digest of all of it. */
export interface ContextHash {
  readonly digest: Digest
  /** Paths of files and links relative to the context, `/` between parts, sorted. */
  readonly files: readonly string[]
  /** All that counts of each file, link and folder, by path: kind, mode, and the id that git gives such a content. */
  readonly entries: ReadonlyMap<string, string>
}

/** What makes hashing fast; without them every file is read. None of them changes the hash. */
export interface ContextTools {
  /** For git. */
  readonly exec?: Exec | undefined
  /** Where hashes are kept from run to run. */
  readonly statFolder?: string | undefined
  readonly clock?: Clock | undefined
  readonly signal?: AbortSignal | undefined
}

const LETTERS: Readonly<Record<EntryKind, string>> = { file: 'f', link: 'l', folder: 'd', special: 's' }
/** Folders that are listed in one go, before others get their turn. */
const SLICE = 100

/**
 * Hashes a folder by names, modes, link targets and content, after its ignore patterns. Contents count by the ids that
 * git gives them, so a large clean work tree needn't be read, and one without git has the same hash.
 * @param folder absolute path of the context
 * @param ignorePatterns lines of .dockerignore, as docker's pattern rules read them
 * @throws Error of the file system when a file can't be read
 */
export async function hashContext(
  folder: string,
  ignorePatterns: string,
  tools: ContextTools = {},
): Promise<ContextHash> {
  const { exec, signal } = tools
  const paths = await listContext(folder, ignorePatterns)
  const statCache = await openStatCache(folder, tools)
  const ask =
    exec && (async (files: Parameters<typeof gitBlobs>[2]) => (await gitBlobs(exec, folder, files, signal)).ids)
  const hashed = await hashEntries(folder, paths, 'git-blob', { statCache, signal }, ask)
  await statCache?.save()
  const entries = new Map([...hashed].map(([path, entry]) => [path, entryText(entry)]))
  // Neither paths nor values can hold a NUL, so no two trees have the same text.
  const text = [...entries].map(([path, value]) => `${path}\0${value}\0`).join('')
  return {
    digest: toDigest(`sha256:${hash('sha256', text, 'hex')}`),
    files: paths.filter((path) => hashed.get(path)?.kind !== 'folder'),
    entries,
  }
}

/** Text of the ignore file that docker would take: `<Dockerfile>.dockerignore` before `.dockerignore`. */
export async function readIgnoreFile(context: string, dockerfile: string): Promise<string> {
  for (const path of [`${dockerfile}.dockerignore`, join(context, '.dockerignore')]) {
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text !== undefined) return text
  }
  return ''
}

/** Paths of all that the ignore patterns leave, sorted; folders that hold something of it are among them. */
async function listContext(folder: string, ignorePatterns: string): Promise<readonly string[]> {
  const ignores = readIgnorePatterns(ignorePatterns)
  const hasExceptions = /^\s*!/m.test(ignorePatterns)
  const found = new Set<string>()
  const open: string[] = ['']
  for (let at = 0; at < open.length; at += 1) {
    if (at % SLICE === SLICE - 1) await pause()
    const parent = open[at] ?? ''
    for (const entry of readdirSync(join(folder, parent), { withFileTypes: true })) {
      const path = parent === '' ? entry.name : `${parent}/${entry.name}`
      const ignored = ignores(path)
      if (!ignored) addWithParents(path, found)
      // An ignored folder may still hold files that a later `!pattern` brings back.
      if (entry.isDirectory() && (!ignored || hasExceptions)) open.push(path)
    }
  }
  return [...found].sort()
}

/** Of an ignored folder that holds an exception BuildKit takes the folder, too. */
function addWithParents(path: string, found: Set<string>): void {
  for (let at = path; at !== '' && !found.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) found.add(at)
}

async function openStatCache(
  root: string,
  { statFolder, clock = systemClock }: ContextTools,
): Promise<StatCache | undefined> {
  return statFolder === undefined ? undefined : await StatCache.open({ folder: statFolder, root, clock })
}

function entryText({ kind, mode, hash: id }: EntryHash): string {
  return `${LETTERS[kind]}${mode.toString(8)} ${id}`
}

/** Whether a text of `ContextHash.entries` is about a symbolic link. */
export function isLink(entry: string): boolean {
  return entry.startsWith(LETTERS.link)
}

/** Whether such a text is about a folder with another mode than new folders get. */
export function isOddFolder(entry: string): boolean {
  return entry.startsWith(LETTERS.folder) && !entry.startsWith(`${LETTERS.folder}755 `)
}
