import { hash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { EntryStat } from './entry-stat.ts'
import type { HashAlgorithm } from './hash-batch.ts'

export interface StatCacheOptions {
  /** Made when it isn't there; holds one small file for each root. */
  readonly folder: string
  /** Absolute path of the tree whose files are remembered. */
  readonly root: string
  readonly clock: Clock
}

interface Entry {
  readonly stamp: string
  readonly hash: string
}

const MAGIC = 'image-cache-stats 1'
/** Files that one root may have; when there are more, those that this run didn't see are forgotten. */
const MOST = 400_000
/** The coarsest clock of a file system that is in use (FAT) ticks every two seconds. */
const TICK = 2000

/**
 * Hashes of files by what the file system said of them: size, times, inode and mode. A file that is written shortly
 * after it was hashed can have the same times as before, so a hash is only kept when the file had been left alone for
 * longer than a tick of any clock when it was read.
 */
export class StatCache {
  readonly #file: string
  readonly #clock: Clock
  readonly #entries: Map<string, Entry>
  readonly #seen = new Set<string>()
  #changed = false

  private constructor(file: string, clock: Clock, entries: Map<string, Entry>) {
    this.#file = file
    this.#clock = clock
    this.#entries = entries
  }

  /** Reads what is remembered of a root. A file that isn't there, is cut off or damaged counts as empty. */
  static async open({ folder, root, clock }: StatCacheOptions): Promise<StatCache> {
    const file = join(folder, hash('sha256', root, 'hex').slice(0, 32))
    const bytes = await readFile(file).catch(() => Buffer.alloc(0))
    return new StatCache(file, clock, decode(bytes))
  }

  /** The hash of a file that looks as it did when it was hashed. */
  find(algorithm: HashAlgorithm, stat: EntryStat): string | undefined {
    const name = `${algorithm}:${stat.path}`
    const entry = this.#entries.get(name)
    if (entry === undefined || entry.stamp !== stat.stamp) return undefined
    this.#seen.add(name)
    return entry.hash
  }

  /**
   * Remembers a hash, unless the file is too young to be told from a later version.
   * @param stat taken before the file was read
   * @param readAt when reading began, milliseconds since 1970
   */
  note(algorithm: HashAlgorithm, stat: EntryStat, hashed: string, readAt: number): void {
    const name = `${algorithm}:${stat.path}`
    if (Math.max(stat.mtimeMs, stat.ctimeMs) + TICK >= readAt) return
    this.#entries.set(name, { stamp: stat.stamp, hash: hashed })
    this.#seen.add(name)
    this.#changed = true
  }

  now(): number {
    return this.#clock.now()
  }

  /** Writes what is new. Never throws: without the file the next run only takes longer. */
  async save(): Promise<void> {
    if (!this.#changed) return
    const temporary = `${this.#file}.${randomUUID()}.tmp`
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 })
      await writeFile(temporary, this.#encode(), { mode: 0o600 })
      await rename(temporary, this.#file)
      this.#changed = false
    } catch {
      await rm(temporary, { force: true }).catch(() => undefined)
    }
  }

  #encode(): Buffer {
    const all = [...this.#entries]
    const kept = all.length > MOST ? all.filter(([name]) => this.#seen.has(name)) : all
    const body = Buffer.from(kept.map(([name, entry]) => `${name}\0${entry.stamp}\0${entry.hash}\0`).join(''))
    return Buffer.concat([Buffer.from(`${MAGIC}\n${hash('sha256', body, 'hex')}\n`), body])
  }
}

function decode(bytes: Buffer): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  const headLength = MAGIC.length + 1 + 64 + 1
  const body = bytes.subarray(headLength)
  const head = bytes.subarray(0, headLength).toString('latin1')
  if (head !== `${MAGIC}\n${hash('sha256', body, 'hex')}\n`) return entries
  const fields = body.toString('utf8').split('\0')
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [name = '', stamp = '', hashed = ''] = [fields[at], fields[at + 1], fields[at + 2]]
    entries.set(name, { stamp, hash: hashed })
  }
  return entries
}
