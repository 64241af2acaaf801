import { createHash, randomUUID } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { link, mkdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf, hexOf } from '../base/digest.ts'
import { codeOf } from '../base/errors.ts'
import { readFooter } from './entry-file.ts'
import type { StoreKey } from './store.ts'
import { answersPrefix } from './store-key.ts'

/** An entry as a file. Times are seconds since 1970. */
export interface EntryFile {
  readonly file: string
  readonly key: StoreKey
  /** With the footer. */
  readonly size: number
  /** Place in the order of creation: made strictly increasing by each process. */
  readonly created: number
  readonly used: number
}

/** Longest part of a key in a file name: with the digest behind it the name stays below 255 bytes. */
const HEAD = 180
/** A reading changes the time of last use at most this often. */
const USE_STEP = 3600
/** A key as far as its first digest: all entries about one thing, so that they lie in one shard. */
const STEM = /^.*?-[0-9a-f]{64}(?=-|$)/

/**
 * Entries as files, `<shard>/<head of the key>~<digest of the key>`, in 256 shards, so that nobody has to list
 * thousands of names to find one. A file appears whole or not at all: it is written under a temporary name and then
 * linked, which fails when the key is taken. Its modification time is its place in the order of creation, its access
 * time that of its last use.
 */
export class EntryFolder {
  readonly #folder: string
  #lastCreated = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  /**
   * The entry with exactly this key, else the newest that the prefix matches. A few synchronous calls: waiting for
   * each would take longer than all of them.
   */
  async find(prefix: string): Promise<EntryFile | undefined> {
    const exact = inspect(this.pathOf(prefix), prefix)
    if (exact !== undefined) return exact
    let newest: EntryFile | undefined
    for (const entry of await this.all(prefix))
      if (newest === undefined || entry.created > newest.created) newest = entry
    return newest
  }

  /** All entries that a prefix matches; without one, all. */
  async all(prefix?: string): Promise<readonly EntryFile[]> {
    const stem = prefix === undefined ? undefined : STEM.exec(prefix)?.[0]
    const shards = stem === undefined ? names(this.#folder) : [shardOf(stem)]
    const found = await Promise.all(shards.filter(isShard).map((shard) => this.#matches(shard, prefix)))
    return found.flat()
  }

  /**
   * Adds an entry.
   * @param write makes the file under the temporary name that it gets
   * @returns false when the key is taken
   */
  async add(key: StoreKey, write: (temporary: string) => Promise<unknown>): Promise<boolean> {
    const path = this.pathOf(key)
    if (inspect(path, key) !== undefined) return false
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 })
    const temporary = join(path, '..', `.${randomUUID()}.tmp`)
    try {
      await write(temporary)
      const created = this.#nextCreated()
      await utimes(temporary, created, created)
      await link(temporary, path)
      return true
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    } finally {
      await rm(temporary, { force: true })
    }
  }

  /** Notes that an entry was of use, so that it stays longer. */
  async touch({ file, created, used }: EntryFile): Promise<void> {
    const now = Date.now() / 1000
    // Another process may have removed it just now; and a folder may be read-only.
    if (now - used > USE_STEP) await utimes(file, now, created).catch(() => undefined)
  }

  pathOf(key: StoreKey): string {
    return join(this.#folder, shardOf(STEM.exec(key)?.[0] ?? ''), `${key.slice(0, HEAD)}~${hexOf(digestOf(key))}`)
  }

  /** Temporary files that were last written to so many seconds ago: their writers died. */
  async abandoned(seconds: number): Promise<readonly string[]> {
    const shards = names(this.#folder).filter(isShard)
    const files = await Promise.all(
      shards.map(async (shard) => {
        const folder = join(this.#folder, shard)
        return names(folder)
          .filter((name) => name.startsWith('.'))
          .map((name) => join(folder, name))
      }),
    )
    const old = await Promise.all(
      files.flat().map(async (file) => {
        const info = await stat(file).catch(() => undefined)
        return info !== undefined && Date.now() - info.mtimeMs > seconds * 1000 ? [file] : []
      }),
    )
    return old.flat()
  }

  async #matches(shard: string, prefix: string | undefined): Promise<readonly EntryFile[]> {
    const folder = join(this.#folder, shard)
    const candidates = names(folder).filter((name) => {
      const [head = ''] = name.split('~')
      return !name.startsWith('.') && (prefix === undefined || head.startsWith(prefix.slice(0, head.length)))
    })
    const entries = await Promise.all(candidates.map((name) => inspectNamed(folder, name)))
    return entries
      .filter((entry) => entry !== undefined)
      .filter(({ key }) => prefix === undefined || answersPrefix(key, prefix))
  }

  #nextCreated(): number {
    // Two saves of this process within a microsecond still have an order.
    const now = (performance.timeOrigin + performance.now()) / 1000
    this.#lastCreated = Math.max(now, this.#lastCreated + 2e-6)
    return this.#lastCreated
  }
}

async function inspectNamed(folder: string, name: string): Promise<EntryFile | undefined> {
  const file = join(folder, name)
  const [head = ''] = name.split('~')
  if (head.length < HEAD) return inspect(file, head)
  // Only the beginning of a long key stands in the name.
  const footer = await readFooter(file).catch(() => undefined)
  return footer === undefined ? undefined : inspect(file, footer.key)
}

/** Undefined when it isn't there, be it that another process swept it since the folder was listed. */
function inspect(file: string, key: StoreKey): EntryFile | undefined {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (stats === undefined) return undefined
  const { size, mtimeMs, atimeMs } = stats
  return { file, key, size, created: mtimeMs / 1000, used: atimeMs / 1000 }
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function shardOf(stem: string): string {
  return createHash('sha256').update(stem).digest('hex').slice(0, 2)
}

function isShard(name: string): boolean {
  return /^[0-9a-f]{2}$/.test(name)
}
