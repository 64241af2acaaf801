/**
 * The headers of an answer, by names in any case; a header that came several times is one list (RFC 9110, 5.3). Node's own
 * `Headers` would do, but the first use of it loads all of `fetch`, which takes longer than an answer's way here.
 */
export class HttpHeaders {
  readonly #values: Readonly<Record<string, readonly string[] | undefined>>

  /** @param values by name in lower case, as `IncomingMessage.headersDistinct` has them */
  constructor(values: Readonly<Record<string, readonly string[] | undefined>>) {
    this.#values = values
  }

  get(name: string): string | null {
    return this.#values[name.toLowerCase()]?.join(', ') ?? null
  }

  has(name: string): boolean {
    return this.get(name) !== null
  }
}
