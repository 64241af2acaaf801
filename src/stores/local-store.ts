import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf, hexOf } from '../base/digest.ts'
import { messageOf } from '../base/errors.ts'
import { decodeEntry, encodeEntry, readEntryKey } from './entry-codec.ts'
import type { Fetch, LookUp, Save, Store, StoreKey, Unavailable } from './store.ts'
import { answersPrefix, checkStoreKey } from './store-key.ts'

export interface LocalStoreOptions {
  /** Made when it isn't there. */
  readonly folder: string
  /** The oldest entries go when all together are larger; 1 GB when not given. */
  readonly maxBytes?: number
  /** Entries that were made longer ago go; 30 days when not given. */
  readonly maxAgeSeconds?: number
}

interface Found {
  readonly file: string
  readonly key: StoreKey
  /** Creation order: nanoseconds since 1970, made strictly increasing by this process. */
  readonly created: bigint
}

interface EntryFile {
  readonly file: string
  readonly size: number
  readonly created: bigint
}

/** Longest part of a key in a file name: with the digest behind it the name stays below 255 bytes. */
const HEAD = 180
const HEADER_BYTES = 1024
const ABANDONED_SECONDS = 3600

/**
 * Entries as files of one folder, for a laptop: `<head of the key>~<digest of the key>`. A file appears whole or not at
 * all: it is written under a temporary name and then linked, which fails when the key is taken. A file's modification
 * time is its place in the order of creation.
 */
export class LocalStore implements Store {
  readonly name = 'local'
  readonly #folder: string
  readonly #maxBytes: number
  readonly #maxAgeSeconds: number
  #lastCreated = 0
  #savedSinceSweep = Number.POSITIVE_INFINITY

  constructor({ folder, maxBytes = 1e9, maxAgeSeconds = 30 * 86_400 }: LocalStoreOptions) {
    this.#folder = folder
    this.#maxBytes = maxBytes
    this.#maxAgeSeconds = maxAgeSeconds
  }

  async lookUp(prefix: string): Promise<LookUp> {
    return this.#guard(prefix, async () => {
      const found = await this.#find(prefix)
      return found === undefined ? { kind: 'miss' } : { kind: 'hit', key: found.key }
    })
  }

  async fetch(prefix: string): Promise<Fetch> {
    return this.#guard(prefix, async () => {
      const found = await this.#find(prefix)
      if (found === undefined) return { kind: 'miss' }
      const entry = decodeEntry(await readFile(found.file))
      if (entry?.key === found.key) return { kind: 'hit', ...entry }
      await rm(found.file, { force: true })
      return { kind: 'miss' }
    })
  }

  async save(key: StoreKey, body: Uint8Array): Promise<Save> {
    return this.#guard(key, async () => {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 })
      const temporary = join(this.#folder, `.${randomUUID()}.tmp`)
      try {
        await writeFile(temporary, encodeEntry({ key, body }), { mode: 0o600 })
        const created = this.#nextCreated()
        await utimes(temporary, created, created)
        await link(temporary, join(this.#folder, fileName(key)))
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return { kind: 'exists' }
        throw error
      } finally {
        await rm(temporary, { force: true })
      }
      this.#savedSinceSweep += body.length
      if (this.#savedSinceSweep > this.#maxBytes / 10) await this.#sweep()
      return { kind: 'saved' }
    })
  }

  async #guard<Answer>(key: string, run: () => Promise<Answer>): Promise<Answer | Unavailable> {
    const problem = checkStoreKey(key)
    if (problem !== undefined) return { kind: 'unavailable', reason: problem }
    try {
      return await run()
    } catch (error) {
      return { kind: 'unavailable', reason: messageOf(error) }
    }
  }

  /** The entry with exactly this key, else the newest that the prefix matches. */
  async #find(prefix: string): Promise<Found | undefined> {
    const names = (await this.#names()).filter((name) => !name.startsWith('.'))
    const candidates = names.filter((name) => {
      const [head = ''] = name.split('~')
      return head.startsWith(prefix.slice(0, head.length))
    })
    const read = await Promise.all(candidates.map((name) => this.#read(name)))
    const found = read.filter((entry) => entry !== undefined).filter(({ key }) => answersPrefix(key, prefix))
    found.sort((a, b) => (a.created < b.created ? 1 : -1))
    return found.find(({ key }) => key === prefix) ?? found[0]
  }

  async #read(name: string): Promise<Found | undefined> {
    const file = join(this.#folder, name)
    try {
      const { mtimeNs: created } = await stat(file, { bigint: true })
      const [head = ''] = name.split('~')
      const key = head.length < HEAD ? head : await keyInside(file)
      return key === undefined ? undefined : { file, key, created }
    } catch (error) {
      // Swept by another process since the folder was listed.
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  async #names(): Promise<string[]> {
    try {
      return await readdir(this.#folder)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }

  #nextCreated(): number {
    // Two saves of this process within a microsecond still have an order.
    const now = (performance.timeOrigin + performance.now()) / 1000
    this.#lastCreated = Math.max(now, this.#lastCreated + 2e-6)
    return this.#lastCreated
  }

  async #sweep(): Promise<void> {
    this.#savedSinceSweep = 0
    const files: EntryFile[] = []
    for (const name of await this.#names()) {
      const file = join(this.#folder, name)
      const info = await stat(file, { bigint: true }).catch(() => undefined)
      if (info === undefined) continue
      const age = Date.now() / 1000 - Number(info.mtimeNs) / 1e9
      const tooOld = age > (name.startsWith('.') ? ABANDONED_SECONDS : this.#maxAgeSeconds)
      if (tooOld) await rm(file, { force: true })
      else if (!name.startsWith('.')) files.push({ file, size: Number(info.size), created: info.mtimeNs })
    }
    await this.#removeOldest(files)
  }

  async #removeOldest(files: EntryFile[]): Promise<void> {
    let total = files.reduce((sum, { size }) => sum + size, 0)
    for (const { file, size } of files.sort((a, b) => (a.created < b.created ? -1 : 1))) {
      if (total <= this.#maxBytes) return
      await rm(file, { force: true })
      total -= size
    }
  }
}

function fileName(key: StoreKey): string {
  return `${key.slice(0, HEAD)}~${hexOf(digestOf(key))}`
}

async function keyInside(file: string): Promise<StoreKey | undefined> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0)
    return readEntryKey(buffer.subarray(0, bytesRead))
  } finally {
    await handle.close()
  }
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
