import { setTimeout as pause } from 'node:timers/promises'
import { type Clock, systemClock } from '../base/clock.ts'
import { ImageCacheError } from '../base/errors.ts'
import { type ConcurrencyLimit, concurrencyLimit } from './concurrency-limit.ts'
import type { CredentialSource } from './credentials.ts'
import { redirectTarget } from './redirect-target.ts'
import { RegistryAuth } from './registry-auth.ts'
import { type FailedRequest, networkError, RegistryError } from './registry-error.ts'
import { retryDelay } from './retry-delay.ts'

export interface HttpRegistryOptions {
  /** Logins; asked only after a registry has refused. Without it all is anonymous. */
  readonly credentials?: CredentialSource
  /** Registries (host, with port where it has one) to be spoken to in plain http. Loopback hosts always are. */
  readonly plainHttp?: readonly string[]
  /** Ends everything under way; requests then fail with E_CANCELLED. */
  readonly signal?: AbortSignal
  /** For one try, in milliseconds. */
  readonly tryTimeoutMs?: number
  readonly clock?: Clock
  /** Waits so many milliseconds between tries; may reject when aborted. */
  readonly sleep?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>
  /** From 0 to below 1, as Math.random. */
  readonly random?: () => number
}

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST'

/** A request as it goes out, apart from authorization. */
export interface PlainRequest {
  readonly method: Method
  readonly url: URL
  readonly registry: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

/** A request to a registry; `path` is below `/v2/`, or a whole URL that the registry itself handed out. */
export interface RegistryRequest {
  readonly method: Method
  readonly registry: string
  readonly path: string | URL
  readonly scopes: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** A whole answer, its body read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array
  /** Where the answer came from, after redirects. */
  readonly url: URL
}

const SLOTS_PER_REGISTRY = 8
const DEFAULT_TRY_TIMEOUT_MS = 30_000
const MAX_REDIRECTS = 5
/** Manifests and configs are small; more than this is a mistake or an attack. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** Sends requests to registries: authorization, redirects, retries, time limits and at most 8 at a time for each. */
export class RegistryTransport {
  readonly #options: HttpRegistryOptions
  readonly #clock: Clock
  readonly #auth: RegistryAuth
  readonly #limits = new Map<string, ConcurrencyLimit>()
  /** Passwords and tokens met so far; kept out of every error. */
  readonly #secrets = new Set<string>()

  constructor(options: HttpRegistryOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#auth = new RegistryAuth({
      credentials: options.credentials,
      clock: this.#clock,
      send: (request) => this.#retried(request, () => this.#exchange(request)),
      secrets: this.#secrets,
    })
  }

  /** @throws RegistryError when no whole answer came; an answer of any status is returned. */
  async send(request: RegistryRequest): Promise<Answer> {
    const plain = this.plainRequest(request)
    return await this.#retried(plain, () => this.#authorized(plain, request.scopes))
  }

  plainRequest(request: RegistryRequest): PlainRequest {
    const { method, registry, path, headers = {}, body } = request
    const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
    const scheme = this.#isPlain(registry) ? 'http' : 'https'
    const url = typeof path === 'string' ? new URL(`${scheme}://${host}/v2/${path}`) : path
    return { method, url, registry, headers, body }
  }

  /** What errors about this request may say. */
  failed({ method, url, registry }: PlainRequest): FailedRequest {
    return { method, url, registry, secrets: this.#secrets }
  }

  #isPlain(registry: string): boolean {
    return isLoopback(registry) || (this.#options.plainHttp ?? []).includes(registry)
  }

  async #retried(request: PlainRequest, attempt: () => Promise<Answer>): Promise<Answer> {
    const { random = Math.random } = this.#options
    for (let tryNumber = 1; ; tryNumber += 1) {
      const time = { now: this.#clock.now(), random: random() }
      let delay: number | undefined
      try {
        const answer = await attempt()
        const retryAfter = answer.headers.get('retry-after')
        delay = retryDelay(tryNumber, { kind: 'status', status: answer.status, retryAfter }, time)
        if (delay === undefined) return answer
      } catch (error) {
        if (error instanceof ImageCacheError) throw error
        if (this.#options.signal?.aborted === true) throw cancelled()
        delay = retryDelay(tryNumber, { kind: 'broken', error }, time)
        if (delay === undefined) throw networkError(this.failed(request), error)
      }
      await this.#wait(delay)
    }
  }

  async #wait(milliseconds: number): Promise<void> {
    const { sleep = pauseUnlessAborted, signal } = this.#options
    try {
      await sleep(milliseconds, signal)
    } catch (error) {
      throw signal?.aborted === true ? cancelled() : error
    }
  }

  async #authorized(request: PlainRequest, scopes: readonly string[]): Promise<Answer> {
    const plain = this.#isPlain(request.registry)
    const target = { registry: request.registry, scopes, plain }
    const origin = this.plainRequest({ ...requestLess(request), path: '', scopes }).url.origin
    // An upload address on another host is trusted with the bytes, not with the login.
    if (request.url.origin !== origin) return await this.#exchange(request)
    const first = await this.#auth.header(target)
    const answer = await this.#exchange(authorize(request, first))
    const challenge = answer.headers.get('www-authenticate')
    if (answer.status !== 401 || challenge === null) return answer
    const second = await this.#auth.answer(target, challenge, first)
    return second === undefined ? answer : await this.#exchange(authorize(request, second))
  }

  /** One request and what its redirects lead to. */
  async #exchange(request: PlainRequest): Promise<Answer> {
    let current = request
    for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
      const answer = await this.#once(current)
      const location = answer.headers.get('location')
      const moved = answer.status === 307 || answer.status === 308
      const movedRead = (answer.status === 301 || answer.status === 302 || answer.status === 303) && isRead(request)
      if (location === null || !(moved || movedRead)) return answer
      current = this.#redirected(current, location)
    }
    throw this.#refused(current, `redirects more than ${MAX_REDIRECTS} times`)
  }

  #redirected(request: PlainRequest, location: string): PlainRequest {
    const url = redirectTarget(request.url, location)
    if (typeof url === 'string') throw this.#refused(request, url)
    const { authorization, ...rest } = request.headers
    const keeps = authorization !== undefined && url.origin === request.url.origin
    return { ...request, url, headers: keeps ? { ...rest, authorization } : rest }
  }

  #refused(request: PlainRequest, problem: string): RegistryError {
    const line = `${request.method} ${request.url.origin}${request.url.pathname}`
    return new RegistryError(`${line} ${problem}`, {
      request: line,
      hint: 'The registry, or a proxy before it, is set up wrongly.',
    })
  }

  async #once({ method, url, headers, body }: PlainRequest): Promise<Answer> {
    const limit = this.#limits.get(url.host) ?? concurrencyLimit(SLOTS_PER_REGISTRY)
    this.#limits.set(url.host, limit)
    const { signal: cancel, tryTimeoutMs = DEFAULT_TRY_TIMEOUT_MS } = this.#options
    return await limit(async () => {
      const timeout = AbortSignal.timeout(tryTimeoutMs)
      const response = await fetch(url, {
        method,
        // Compressed answers would no longer have the length and digest that their headers state.
        headers: { 'accept-encoding': 'identity', 'user-agent': 'image-cache-action', ...headers },
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
        redirect: 'manual',
        signal: cancel === undefined ? timeout : AbortSignal.any([cancel, timeout]),
      })
      return { status: response.status, headers: response.headers, body: await readBody(response), url }
    })
  }
}

/** Whether a registry is this machine: the only hosts that plain http is fit for without asking. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '').toLowerCase()
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

async function pauseUnlessAborted(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await pause(milliseconds, undefined, signal === undefined ? {} : { signal })
}

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error(`the answer is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function authorize(request: PlainRequest, authorization: string | undefined): PlainRequest {
  return authorization === undefined ? request : { ...request, headers: { ...request.headers, authorization } }
}

function requestLess({ method, registry }: PlainRequest): Pick<RegistryRequest, 'method' | 'registry'> {
  return { method, registry }
}

function isRead({ method }: PlainRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

function cancelled(): ImageCacheError {
  return new ImageCacheError('E_CANCELLED', 'the registry request was cancelled')
}
