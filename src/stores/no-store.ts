import type { Store, Unavailable } from './store.ts'

/** Stands in where there is no store, and says why each time it is asked. */
export class NoStore implements Store {
  readonly name = 'off'
  readonly #answer: Unavailable

  /** @param reason a sentence part, such as `switched off by store: off` */
  constructor(reason: string) {
    this.#answer = { kind: 'unavailable', reason }
  }

  async lookUp(): Promise<Unavailable> {
    return this.#answer
  }

  async fetch(): Promise<Unavailable> {
    return this.#answer
  }

  async save(): Promise<Unavailable> {
    return this.#answer
  }

  async fetchFile(): Promise<Unavailable> {
    return this.#answer
  }

  async saveFile(): Promise<Unavailable> {
    return this.#answer
  }
}
