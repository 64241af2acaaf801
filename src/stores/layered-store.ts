import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '../base/errors.ts'
import type { Fetch, FetchFile, LookUp, Save, Store, StoreKey } from './store.ts'

export interface LayeredStoreOptions {
  /** On this machine. */
  readonly local: Store
  /** Seen by others. */
  readonly remote: Store
  /** Entries that an earlier process of this run kept in `local` and did not hand over. */
  readonly pending?: readonly StoreKey[]
  /** Folder for files on their way; the system's when not given. */
  readonly tempDir?: string
}

/**
 * A local store in front of a remote one. What is found there is kept here; what is saved is kept here at once and handed
 * over by `flush`, which a job does in its post step. An entry never changes, so one that is here needs no question.
 */
export class LayeredStore implements Store {
  readonly name: string
  readonly #local: Store
  readonly #remote: Store
  readonly #pending: Set<StoreKey>
  readonly #tempDir: string

  constructor({ local, remote, pending = [], tempDir = tmpdir() }: LayeredStoreOptions) {
    this.name = `${local.name}+${remote.name}`
    this.#local = local
    this.#remote = remote
    this.#pending = new Set(pending)
    this.#tempDir = tempDir
  }

  async prepare(): Promise<void> {
    await Promise.all([this.#local.prepare?.(), this.#remote.prepare?.()])
  }

  get leases(): Store {
    return this.#remote.leases ?? this.#remote
  }

  /** Entries that are still to be handed over, the oldest first. */
  get pending(): readonly StoreKey[] {
    return [...this.#pending]
  }

  async lookUp(prefix: string): Promise<LookUp> {
    const here = await this.#local.lookUp(prefix)
    if (here.kind === 'hit' && this.#isNewest(here.key, prefix)) return here
    const there = await this.#remote.lookUp(prefix)
    return there.kind !== 'hit' && here.kind === 'hit' ? here : there
  }

  async fetch(prefix: string): Promise<Fetch> {
    const key = await this.#keyHere(prefix)
    const here = key === undefined ? undefined : await this.#local.fetch(key)
    if (here?.kind === 'hit') return here
    const there = await this.#remote.fetch(prefix)
    // A copy that can't be kept costs the next reader a download, no more.
    if (there.kind === 'hit') await this.#local.save(there.key, there.body)
    return there.kind === 'miss' && here !== undefined ? here : there
  }

  async fetchFile(prefix: string, to: string): Promise<FetchFile> {
    const key = await this.#keyHere(prefix)
    const here = key === undefined ? undefined : await this.#local.fetchFile(key, to)
    if (here?.kind === 'hit') return here
    const there = await this.#remote.fetchFile(prefix, to)
    if (there.kind === 'hit') await this.#local.saveFile(there.key, to)
    return there.kind === 'miss' && here !== undefined ? here : there
  }

  async save(key: StoreKey, body: Uint8Array): Promise<Save> {
    return this.#save(key, (store) => store.save(key, body))
  }

  async saveFile(key: StoreKey, from: string): Promise<Save> {
    return this.#save(key, (store) => store.saveFile(key, from))
  }

  /** Hands over what was saved since the last time; an entry that can't be is given up. */
  async flush(): Promise<readonly string[]> {
    const troubles = new Set<string>()
    for (const key of this.pending) {
      const trouble = await this.#handOver(key)
      if (trouble !== undefined) troubles.add(trouble)
      this.#pending.delete(key)
    }
    return [...troubles]
  }

  /** The key of the local entry that answers, if one does; asks the other side only whether it knows a newer one. */
  async #keyHere(prefix: string): Promise<StoreKey | undefined> {
    const here = await this.#local.lookUp(prefix)
    if (here.kind !== 'hit' || this.#isNewest(here.key, prefix)) return here.kind === 'hit' ? here.key : undefined
    const there = await this.#remote.lookUp(prefix)
    if (there.kind !== 'hit') return here.key
    const copy = await this.#local.lookUp(there.key)
    return copy.kind === 'hit' && copy.key === there.key ? there.key : undefined
  }

  #isNewest(key: StoreKey, prefix: string): boolean {
    return key === prefix || this.#pending.has(key)
  }

  async #save(key: StoreKey, save: (store: Store) => Promise<Save>): Promise<Save> {
    const here = await save(this.#local)
    if (here.kind === 'unavailable') return save(this.#remote)
    if (here.kind === 'saved') this.#pending.add(key)
    return here
  }

  async #handOver(key: StoreKey): Promise<string | undefined> {
    const trouble = (reason: string): string => `an entry was not kept: ${this.#remote.name} store: ${reason}`
    let folder: string | undefined
    try {
      folder = await mkdtemp(join(this.#tempDir, 'image-cache-'))
      const file = join(folder, 'entry')
      const here = await this.#local.fetchFile(key, file)
      if (here.kind !== 'hit') return trouble(here.reason ?? 'it is no longer in the local store')
      const saved = await this.#remote.saveFile(here.key, file)
      return saved.kind === 'unavailable' ? trouble(saved.reason) : undefined
    } catch (error) {
      return trouble(messageOf(error))
    } finally {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    }
  }
}
