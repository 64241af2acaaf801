import * as crypto from 'node:crypto'
import * as fs from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type EntryKind, type EntryStat, readStats } from './entry-stat.ts'
import { type HashAlgorithm, type HashJob, hashBatch } from './hash-batch.ts'
import type { StatCache } from './stat-cache.ts'
import { workOnThreads } from './thread-work.ts'

export interface HashOptions {
  /** Answers for files that haven't changed since they were hashed; it learns those that are hashed now. */
  readonly statCache?: StatCache | undefined
  readonly signal?: AbortSignal | undefined
  /** Threads for large work; as many as there are cores when not given, 1 keeps all on this thread. */
  readonly threads?: number | undefined
}

/** Asked for the hashes of many files at once before they are read; it may know some, all or none. */
export type AskHashes = (files: readonly EntryStat[]) => Promise<ReadonlyMap<string, string>>

export interface EntryHash {
  readonly kind: EntryKind
  readonly mode: number
  /** Hex digits: of a file's bytes, a link's target, a device's number; of nothing for a folder. */
  readonly hash: string
}

/** What one thread does in about a tenth of a second: more than this is worth another process. */
const LARGE = { files: 3000, bytes: 100e6 }
/** More than this is worth more threads: the first one goes on while they start. */
const SHARED = { files: 500, bytes: 16e6 }
const BATCH = { files: 128, bytes: 4e6 }

function isMore(files: readonly EntryStat[], than: typeof LARGE): boolean {
  return files.length > than.files || files.reduce((sum, { size }) => sum + size, 0) > than.bytes
}

/**
 * Hashes entries of a tree: remembered hashes first, then those that `ask` knows (if the rest is large), then by content.
 * @param root absolute
 * @param paths relative, `/` between parts
 * @returns in the order of `paths`
 * @throws Error of the file system when an entry isn't there or can't be read; what `signal` was aborted with
 */
export async function hashEntries(
  root: string,
  paths: readonly string[],
  algorithm: HashAlgorithm,
  { statCache, signal, threads = availableParallelism() }: HashOptions,
  ask?: AskHashes,
): Promise<ReadonlyMap<string, EntryHash>> {
  const stats = await readStats(root, paths, signal)
  const hashed = new Map<string, EntryHash>()
  const open: EntryStat[] = []
  for (const stat of stats) {
    const hash = stat.kind === 'file' ? statCache?.find(algorithm, stat) : hashText(algorithm, textOf(root, stat))
    if (hash === undefined) open.push(stat)
    // Even without its hash it has its place in the order.
    hashed.set(stat.path, { kind: stat.kind, mode: stat.mode, hash: hash ?? '' })
  }
  const readAt = statCache?.now() ?? 0
  const asked = ask !== undefined && isMore(open, LARGE) ? await ask(open) : new Map<string, string>()
  const unread = open.filter(({ path }) => !asked.has(path))
  const read = await hashContents(root, unread, algorithm, threads, signal)
  for (const stat of open) {
    const hash = asked.get(stat.path) ?? read.get(stat.path) ?? ''
    hashed.set(stat.path, { kind: stat.kind, mode: stat.mode, hash })
    statCache?.note(algorithm, stat, hash, readAt)
  }
  return hashed
}

async function hashContents(
  root: string,
  files: readonly EntryStat[],
  algorithm: HashAlgorithm,
  threads: number,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const batches = batchesOf(files)
  const jobs = batches.map(
    (batch): HashJob => ({
      algorithm,
      files: batch.map(({ path }) => join(root, path)),
      bytes: batch.reduce((sum, { size }) => sum + size, 0),
    }),
  )
  const answers = await workOnThreads(hashBatch, jobs, isMore(files, SHARED) ? threads : 1, signal)
  return new Map(
    batches.flatMap((batch, at) =>
      batch.map(({ path }, index): [string, string] => [path, answers[at]?.[index] ?? '']),
    ),
  )
}

/** Largest files first, so that no thread is left with one at the end. */
function batchesOf(files: readonly EntryStat[]): readonly (readonly EntryStat[])[] {
  const batches: EntryStat[][] = []
  let batch: EntryStat[] = []
  let bytes = 0
  for (const file of [...files].sort((a, b) => b.size - a.size)) {
    batch.push(file)
    bytes += file.size
    if (batch.length < BATCH.files && bytes < BATCH.bytes) continue
    batches.push(batch)
    batch = []
    bytes = 0
  }
  return batch.length === 0 ? batches : [...batches, batch]
}

function textOf(root: string, { kind, path, device }: EntryStat): string {
  if (kind === 'link') return fs.readlinkSync(join(root, path))
  return kind === 'special' ? String(device) : ''
}

function hashText(algorithm: HashAlgorithm, text: string): string {
  if (algorithm === 'sha256') return crypto.hash('sha256', text, 'hex')
  return crypto.hash('sha1', `blob ${Buffer.byteLength(text)}\0${text}`, 'hex')
}
