import { hash, randomUUID } from 'node:crypto'
import { renameSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { EntryStat } from './entry-stat.ts'
import type { HashAlgorithm } from './hash-batch.ts'
import { decodeStats, encodeStats, type RememberedHash, type RememberedTables } from './stat-file.ts'

export interface StatCacheOptions {
  /** Made when it isn't there; holds one small file for each root. */
  readonly folder: string
  /** Absolute path of the tree whose files are remembered. */
  readonly root: string
  readonly clock: Clock
}

/** What the tasks of one process have read: each asks for the same file, and most ask for the same entries. */
interface Loaded {
  /** Of the file when it was read or written: when another process writes it, it is read again. */
  readonly stamp: string
  readonly tables: RememberedTables
}

/** Files that one root may have; when there are more, those that this run didn't see are forgotten. */
const MOST = 400_000
/** Roots whose tables stay in memory. */
const MOST_ROOTS = 4
/** The coarsest clock of a file system that is in use (FAT) ticks every two seconds. */
const TICK = 2000

/** Milliseconds that writing may be put off. */
const SOON = 5000

const loaded = new Map<string, Loaded>()
const unsaved = new Map<string, RememberedTables>()
const lastSaved = new Map<string, number>()

/**
 * Hashes of files by what the file system said of them: size, times, inode and mode. A file that is written shortly
 * after it was hashed can have the same times as before, so a hash is only kept when the file had been left alone for
 * longer than a tick of any clock when it was read.
 */
export class StatCache {
  readonly #file: string
  readonly #clock: Clock
  readonly #tables: RememberedTables
  readonly #seen = new Set<RememberedHash>()
  #changed = false

  private constructor(file: string, clock: Clock, tables: RememberedTables) {
    this.#file = file
    this.#clock = clock
    this.#tables = tables
  }

  /** Reads what is remembered of a root. A file that isn't there, is cut off or damaged counts as empty. */
  static async open({ folder, root, clock }: StatCacheOptions): Promise<StatCache> {
    const file = join(folder, hash('sha256', root, 'hex').slice(0, 32))
    const stamp = stampOf(file)
    const known = loaded.get(file)
    if (known !== undefined && known.stamp === stamp) return new StatCache(file, clock, known.tables)
    const tables = decodeStats(stamp === '' ? Buffer.alloc(0) : await readFile(file).catch(() => Buffer.alloc(0)))
    keepLoaded(file, { stamp, tables })
    return new StatCache(file, clock, tables)
  }

  /** The hash of a file that looks as it did when it was hashed. */
  find(algorithm: HashAlgorithm, now: EntryStat): string | undefined {
    const entry = this.#tables[algorithm].get(now.path)
    if (
      entry === undefined ||
      entry.size !== now.size ||
      entry.mtimeMs !== now.mtimeMs ||
      entry.ctimeMs !== now.ctimeMs ||
      entry.inode !== now.inode ||
      entry.mode !== now.mode
    ) {
      return undefined
    }
    this.#seen.add(entry)
    return entry.hash
  }

  /**
   * Remembers a hash, unless the file is too young to be told from a later version.
   * @param looked taken before the file was read
   * @param readAt when reading began, milliseconds since 1970
   */
  note(algorithm: HashAlgorithm, looked: EntryStat, hashed: string, readAt: number): void {
    const { path, size, mtimeMs, ctimeMs, inode, mode } = looked
    if (Math.max(mtimeMs, ctimeMs) + TICK >= readAt) return
    const entry = { size, mtimeMs, ctimeMs, inode, mode, hash: hashed }
    this.#tables[algorithm].set(path, entry)
    this.#seen.add(entry)
    this.#changed = true
  }

  now(): number {
    return this.#clock.now()
  }

  /**
   * Leaves the writing to the end of the process, but not for longer than a while: hundreds of tasks may learn something
   * one after the other. Never throws.
   */
  async saveSoon(): Promise<void> {
    if (!this.#changed) return
    if (performance.now() - (lastSaved.get(this.#file) ?? 0) > SOON) return this.save()
    // Every task of a run comes here, with the same tables.
    if (unsaved.get(this.#file) === this.#tables) return
    if (unsaved.size === 0) process.once('exit', saveAll)
    unsaved.set(this.#file, this.#tables)
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 }).catch(() => undefined)
  }

  /** Writes what is new. Never throws: without the file the next run only takes longer. */
  async save(): Promise<void> {
    if (!this.#changed) return
    const temporary = `${this.#file}.${randomUUID()}.tmp`
    this.#changed = false
    unsaved.delete(this.#file)
    lastSaved.set(this.#file, performance.now())
    try {
      this.#forgetUnseen()
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 })
      await writeFile(temporary, encodeStats(this.#tables), { mode: 0o600 })
      await rename(temporary, this.#file)
      keepLoaded(this.#file, { stamp: stampOf(this.#file), tables: this.#tables })
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined)
    }
  }

  #forgetUnseen(): void {
    const tables = Object.values(this.#tables)
    if (tables.reduce((sum, { size }) => sum + size, 0) <= MOST) return
    for (const table of tables) for (const [path, entry] of table) if (!this.#seen.has(entry)) table.delete(path)
  }
}

/** What was put off, when nothing can be waited for any more. */
function saveAll(): void {
  for (const [file, tables] of unsaved) {
    const temporary = `${file}.${randomUUID()}.tmp`
    try {
      writeFileSync(temporary, encodeStats(tables), { mode: 0o600 })
      renameSync(temporary, file)
    } catch {
      // The next run only takes longer.
    }
  }
}

function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats === undefined ? '' : `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`
}

function keepLoaded(file: string, now: Loaded): void {
  loaded.delete(file)
  loaded.set(file, now)
  for (const [oldest] of loaded) {
    if (loaded.size <= MOST_ROOTS) break
    loaded.delete(oldest)
  }
}
