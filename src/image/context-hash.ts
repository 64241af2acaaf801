import { createHash } from 'node:crypto'
import { createReadStream, type Stats } from 'node:fs'
import { lstat, opendir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { type KeyValue, keyHash } from '../base/key-hash.ts'
import { type Ignores, readIgnorePatterns } from './ignore-patterns.ts'

/** One file, link or folder of a build context; times and owners are no part of it. */
interface ContextEntry {
  readonly path: string
  readonly kind: 'file' | 'link' | 'folder'
  /** Permission bits: they come into the image. */
  readonly mode: number
  readonly content: string
}

/** A build context as BuildKit would read it: what .dockerignore leaves, and one digest of all of it. */
export interface ContextHash {
  readonly digest: Digest
  /** Paths of files and links relative to the context, `/` between parts, sorted. */
  readonly files: readonly string[]
}

/** Files that are open at once: enough to keep a disk busy, few enough for any limit. */
const PARALLEL = 32

/**
 * Hashes a folder by names, modes, link targets and content, after its ignore patterns.
 * @param folder path of the context
 * @param ignorePatterns lines of .dockerignore, as docker's pattern rules read them
 * @throws Error of the file system when a file can't be read
 */
export async function hashContext(folder: string, ignorePatterns: string): Promise<ContextHash> {
  const hasExceptions = /^\s*!/m.test(ignorePatterns)
  const found: string[] = []
  await walk(folder, '', found, readIgnorePatterns(ignorePatterns), hasExceptions)
  found.sort()
  const entries = await mapLimited(found, (path) => readEntry(folder, path))
  const key: KeyValue = entries.map((entry) => [entry.path, entry.kind, entry.mode, entry.content])
  return { digest: keyHash(key), files: entries.filter((entry) => entry.kind !== 'folder').map((entry) => entry.path) }
}

/** Text of the ignore file that docker would take: `<Dockerfile>.dockerignore` before `.dockerignore`. */
export async function readIgnoreFile(context: string, dockerfile: string): Promise<string> {
  for (const path of [`${dockerfile}.dockerignore`, join(context, '.dockerignore')]) {
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text !== undefined) return text
  }
  return ''
}

async function walk(
  root: string,
  folder: string,
  found: string[],
  ignores: Ignores,
  hasExceptions: boolean,
): Promise<void> {
  for await (const entry of await opendir(join(root, folder))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    const ignored = ignores(path)
    if (!ignored) found.push(path)
    // An ignored folder may still hold files that a later `!pattern` brings back.
    if (entry.isDirectory() && (!ignored || hasExceptions)) await walk(root, path, found, ignores, hasExceptions)
  }
}

async function readEntry(folder: string, path: string): Promise<ContextEntry> {
  const full = join(folder, path)
  const stats = await lstat(full)
  const mode = stats.mode & 0o7777
  if (stats.isSymbolicLink()) return { path, kind: 'link', mode: 0, content: await readlink(full) }
  if (stats.isDirectory()) return { path, kind: 'folder', mode, content: '' }
  return { path, kind: 'file', mode, content: await hashFile(full, stats) }
}

async function hashFile(path: string, stats: Stats): Promise<string> {
  const hash = createHash('sha256')
  if (stats.size < 1 << 20) return hash.update(await readFile(path)).digest('hex')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

async function mapLimited<In, Out>(items: readonly In[], map: (item: In) => Promise<Out>): Promise<readonly Out[]> {
  const results = new Map<number, Out>()
  const queue = items.entries()
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results.set(index, await map(item))
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, worker))
  return [...results].sort(([a], [b]) => a - b).map(([, result]) => result)
}
