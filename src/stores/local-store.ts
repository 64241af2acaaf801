import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, messageOf } from '../base/errors.ts'
import { decodeEntry, encodeEntry } from './entry-codec.ts'
import { checkFile, extractFile, openContent, sealFile } from './entry-file.ts'
import { type EntryFile, EntryFolder } from './entry-folder.ts'
import { type EntrySeal, openSeal } from './entry-seal.ts'
import type { Fetch, FetchFile, LookUp, OpenFile, Save, Store, StoreKey, Unavailable } from './store.ts'
import { checkStoreKey } from './store-key.ts'

export interface LocalStoreOptions {
  /** Made when it isn't there. */
  readonly folder: string
  /** Entries of other scopes of the same folder are not seen; none on a laptop. */
  readonly scope?: string
  /** The entries that were longest not used go when all together are larger; 10 GB when not given. */
  readonly maxBytes?: number
  /** Entries that were last used longer ago go; 30 days when not given. */
  readonly maxAgeSeconds?: number
  readonly seal?: EntrySeal
}

/** What a sweep took away. */
export interface Swept {
  readonly entries: number
  readonly bytes: number
}

/** Below it each scope has a folder, `<kind>/<name>`, as `trustScope` makes them. */
const SCOPES = 'scopes'
const ABANDONED_SECONDS = 3600
/** Between two sweeps, unless much was saved. */
const SWEEP_SECONDS = 3600
/** Leases are of no use once nobody waits any more. */
const LEASE_SECONDS = 86_400
const LEASE = /^image-cache-v\d+-lease-/

/** Entries as files of one folder, for a laptop or a runner that stays. */
export class LocalStore implements Store {
  readonly name = 'local'
  readonly prefersPlain = true
  /** Not where entries are signed: what was compared must not change before it is read. */
  readonly openFile?: (prefix: string) => Promise<OpenFile>
  readonly #folder: string
  readonly #entries: EntryFolder
  readonly #maxBytes: number
  readonly #maxAgeSeconds: number
  readonly #seal: EntrySeal
  #savedSinceSweep = 0
  #hasAskedForSweep = false

  constructor(options: LocalStoreOptions) {
    const { folder, scope } = options
    this.#folder = folder
    this.#entries = new EntryFolder(scope === undefined ? folder : join(folder, SCOPES, scope))
    this.#maxBytes = options.maxBytes ?? 10e9
    this.#maxAgeSeconds = options.maxAgeSeconds ?? 30 * 86_400
    this.#seal = options.seal ?? openSeal
    if (!this.#seal.signs) this.openFile = (prefix) => this.#openFile(prefix)
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
      const bytes = await readFile(found.file).catch(ignoreSweep(found))
      if (bytes === undefined) return { kind: 'miss' }
      const entry = decodeEntry(bytes, found.key, this.#seal)
      if (typeof entry !== 'string') return { kind: 'hit', ...entry }
      return this.#dropBroken(found, entry)
    })
  }

  async fetchFile(prefix: string, to: string): Promise<FetchFile> {
    return this.#guard(prefix, async () => {
      const found = await this.#find(prefix)
      if (found === undefined) return { kind: 'miss' }
      const content = await extractFile(found.file, to, found.key, this.#seal).catch(ignoreSweep(found))
      if (content === undefined) return { kind: 'miss' }
      return typeof content === 'string'
        ? this.#dropBroken(found, content)
        : { kind: 'hit', key: found.key, ...content }
    })
  }

  async save(key: StoreKey, body: Uint8Array): Promise<Save> {
    return this.#add(key, body.length, (temporary) =>
      writeFile(temporary, encodeEntry({ key, body }, this.#seal), { mode: 0o600 }),
    )
  }

  async saveFile(key: StoreKey, from: string): Promise<Save> {
    return this.#guard(key, async () => {
      const { size } = await stat(from)
      return this.#add(key, size, (temporary) => sealFile(from, temporary, key, this.#seal))
    })
  }

  /** All entries of all scopes, in no order. @throws Error of the file system */
  async list(): Promise<readonly EntryFile[]> {
    const found = await Promise.all((await this.#allFolders()).map((folder) => folder.all()))
    return found.flat()
  }

  /** Why an entry is not believed; undefined when it is whole. @throws Error of the file system */
  async check({ file, key }: EntryFile): Promise<string | undefined> {
    return checkFile(file, key, this.#seal)
  }

  async remove({ file }: EntryFile): Promise<void> {
    await rm(file, { force: true })
  }

  /** Lets go what is too old or too much, and what broken writers left. @throws Error of the file system */
  async sweep(): Promise<Swept> {
    this.#savedSinceSweep = 0
    for (const folder of await this.#allFolders()) {
      for (const file of await folder.abandoned(ABANDONED_SECONDS)) await rm(file, { force: true })
    }
    const entries = await this.list()
    const gone = chooseSwept(entries, Date.now() / 1000, this.#maxAgeSeconds, this.#maxBytes)
    for (const entry of gone) await this.remove(entry)
    return { entries: gone.length, bytes: gone.reduce((sum, { size }) => sum + size, 0) }
  }

  async #openFile(prefix: string): Promise<OpenFile> {
    return this.#guard(prefix, async () => {
      const found = await this.#find(prefix)
      if (found === undefined) return { kind: 'miss' }
      const content = await openContent(found.file, found.key).catch(ignoreSweep(found))
      if (content === undefined) return { kind: 'miss' }
      return typeof content === 'string'
        ? this.#dropBroken(found, content)
        : { kind: 'hit', key: found.key, ...content }
    })
  }

  async #find(prefix: string): Promise<EntryFile | undefined> {
    const found = await this.#entries.find(prefix)
    if (found !== undefined) await this.#entries.touch(found)
    return found
  }

  /** A broken entry would bar its key for ever. */
  async #dropBroken(found: EntryFile, reason: string): Promise<{ kind: 'miss'; reason: string }> {
    await this.remove(found)
    return { kind: 'miss', reason }
  }

  async #add(key: StoreKey, size: number, write: (temporary: string) => Promise<unknown>): Promise<Save> {
    return this.#guard(key, async () => {
      if (!(await this.#entries.add(key, write))) return { kind: 'exists' }
      this.#savedSinceSweep += size
      if (await this.#isSweepDue()) await this.sweep()
      return { kind: 'saved' }
    })
  }

  /** Each process asks once for the last sweep of all, so that a hundred short ones don't all read the whole folder. */
  async #isSweepDue(): Promise<boolean> {
    if (this.#savedSinceSweep > this.#maxBytes / 10) return true
    if (this.#hasAskedForSweep) return false
    this.#hasAskedForSweep = true
    const marker = join(this.#folder, 'swept')
    const last = await stat(marker).catch(() => undefined)
    const now = Date.now()
    if (last !== undefined && Math.abs(now - last.mtimeMs) < SWEEP_SECONDS * 1000) return false
    await writeFile(marker, '', { mode: 0o600 })
    await utimes(marker, now / 1000, now / 1000)
    return true
  }

  /** Limits hold for the whole folder, so that scopes that nobody uses any more go as well. */
  async #allFolders(): Promise<readonly EntryFolder[]> {
    const scopes = join(this.#folder, SCOPES)
    const kinds = await readdir(scopes).catch(() => [])
    const names = kinds.map(async (kind) => (await readdir(join(scopes, kind))).map((name) => join(scopes, kind, name)))
    return [this.#folder, ...(await Promise.all(names)).flat()].map((path) => new EntryFolder(path))
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
}

/** Entries to let go: those not used for too long, then the longest unused until the rest fits. Times in seconds. */
export function chooseSwept(
  entries: readonly EntryFile[],
  now: number,
  maxAge: number,
  maxBytes: number,
): readonly EntryFile[] {
  const limit = ({ key }: EntryFile): number => (LEASE.test(key) ? Math.min(LEASE_SECONDS, maxAge) : maxAge)
  const oldestFirst = [...entries].sort((a, b) => lastUse(a) - lastUse(b) || a.created - b.created)
  const gone = new Set(oldestFirst.filter((entry) => now - lastUse(entry) > limit(entry)))
  let total = oldestFirst.reduce((sum, entry) => sum + (gone.has(entry) ? 0 : entry.size), 0)
  for (const entry of oldestFirst) {
    if (total <= maxBytes) break
    if (gone.has(entry)) continue
    gone.add(entry)
    total -= entry.size
  }
  return [...gone]
}

function lastUse({ created, used }: EntryFile): number {
  return Math.max(created, used)
}

/** Another process may sweep an entry between the look into the folder and the reading. */
function ignoreSweep({ file }: EntryFile): (error: unknown) => Promise<undefined> {
  return async (error) => {
    const isThere = await stat(file).then(
      () => true,
      () => false,
    )
    if (isThere || codeOf(error) !== 'ENOENT') throw error
    return undefined
  }
}
