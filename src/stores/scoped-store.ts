import type { Fetch, FetchFile, LookUp, Miss, OpenFile, Save, Store, StoreKey, Unavailable } from './store.ts'

export interface ScopedStoreOptions {
  /** The store of the run's own scope; a text says why it may write nowhere. */
  readonly writes: Store | string
  /** Stores of the scopes that may be read, the nearest first. */
  readonly reads: readonly Store[]
}

/**
 * One store of several that lie side by side, one for each scope of trust: writes into its own, reads its own and
 * those that it may believe. As in GitHub's cache, what lies nearer counts more than what is newer.
 */
export class ScopedStore implements Store {
  readonly name: string
  readonly prefersPlain: boolean
  readonly openFile?: (prefix: string) => Promise<OpenFile>
  readonly #writes: Store | string
  readonly #reads: readonly Store[]

  constructor({ writes, reads }: ScopedStoreOptions) {
    this.name = reads[0]?.name ?? 'scoped'
    this.#writes = writes
    this.#reads = reads
    this.prefersPlain = reads.every((store) => store.prefersPlain === true)
    if (reads.every((store) => store.openFile !== undefined)) {
      this.openFile = (prefix) => this.#first(async (store) => (await store.openFile?.(prefix)) ?? { kind: 'miss' })
    }
  }

  async prepare(): Promise<void> {
    await Promise.all(this.#reads.map((store) => store.prepare?.()))
  }

  async lookUp(prefix: string): Promise<LookUp> {
    // All at once: a miss, which has to ask everywhere, is the common case.
    return nearest(await Promise.all(this.#reads.map((store) => store.lookUp(prefix))))
  }

  async fetch(prefix: string): Promise<Fetch> {
    return this.#first((store) => store.fetch(prefix))
  }

  async fetchFile(prefix: string, to: string): Promise<FetchFile> {
    return this.#first((store) => store.fetchFile(prefix, to))
  }

  async save(key: StoreKey, body: Uint8Array): Promise<Save> {
    return this.#save((store) => store.save(key, body))
  }

  async saveFile(key: StoreKey, from: string): Promise<Save> {
    return this.#save((store) => store.saveFile(key, from))
  }

  async #first<Hit extends { readonly kind: 'hit' }>(
    ask: (store: Store) => Promise<Hit | Miss | Unavailable>,
  ): Promise<Hit | Miss | Unavailable> {
    const answers: (Hit | Miss | Unavailable)[] = []
    for (const store of this.#reads) {
      const answer = await ask(store)
      if (answer.kind === 'hit') return answer
      answers.push(answer)
    }
    return nearest(answers)
  }

  async #save(save: (store: Store) => Promise<Save>): Promise<Save> {
    if (typeof this.#writes === 'string') return { kind: 'unavailable', reason: this.#writes }
    return save(this.#writes)
  }
}

/** A hit wherever it is, nearest first; without one, a scope that couldn't be asked makes the whole answer uncertain. */
function nearest<Hit extends { readonly kind: 'hit' }>(
  answers: readonly (Hit | Miss | Unavailable)[],
): Hit | Miss | Unavailable {
  return (
    answers.find(({ kind }) => kind === 'hit') ??
    answers.find(({ kind }) => kind === 'unavailable') ??
    answers.find((answer) => answer.kind === 'miss' && answer.reason !== undefined) ?? { kind: 'miss' }
  )
}
