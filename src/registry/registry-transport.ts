import type { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { type Clock, systemClock } from '../base/clock.ts'
import { ImageCacheError } from '../base/errors.ts'
import { type ConcurrencyLimit, concurrencyLimit } from './concurrency-limit.ts'
import { CONNECTIONS_PER_HOST, type ConnectionOptions, Connections, isLoopback } from './connections.ts'
import type { CredentialSource } from './credentials.ts'
import { exchange, type StreamedBody } from './http-exchange.ts'
import type { HttpHeaders } from './http-headers.ts'
import { redirectTarget } from './redirect-target.ts'
import { RegistryAuth } from './registry-auth.ts'
import { BodyError, type FailedRequest, networkError, RegistryError } from './registry-error.ts'
import { failureCode, isUntrustedCertificate, retryDelay } from './retry-delay.ts'
import { type TimeLimit, timeLimit } from './time-limit.ts'

export interface HttpRegistryOptions extends ConnectionOptions {
  /** Logins; asked only after a registry has refused. Without it all is anonymous. */
  readonly credentials?: CredentialSource
  /** Registries (host, with port where it has one) to be spoken to in plain http. Loopback hosts always are. */
  readonly plainHttp?: readonly string[]
  /** Ends everything under way; requests then fail with E_CANCELLED. */
  readonly signal?: AbortSignal
  /** For one try, in milliseconds. 30 s when not given. */
  readonly tryTimeoutMs?: number
  /** For a layer that is on its way: milliseconds without a byte. 2 minutes when not given. */
  readonly idleTimeoutMs?: number
  /** Called each time that a request has gone out whole and its answer is waited for: a good time for other work. */
  readonly onWaiting?: () => void
  readonly clock?: Clock
  /** Waits so many milliseconds between tries; may reject when aborted. */
  readonly sleep?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<unknown>
  /** From 0 to below 1, as Math.random. */
  readonly random?: () => number
}

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST'

/** How the answer comes: `whole` is read into memory, `stream` (of a good answer) is handed over. */
export type AnswerForm = 'whole' | 'stream'

/** A request as it goes out, apart from authorization. */
export interface PlainRequest {
  readonly method: Method
  readonly url: URL
  readonly registry: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | StreamedBody | undefined
  readonly answer?: AnswerForm
  /** Tells an answer that another try of this very request isn't worth, whatever its status. */
  readonly isFinal?: (answer: Answer) => boolean
}

/** A request to a registry; `path` is below `/v2/`, or a whole URL that the registry itself handed out. */
export interface RegistryRequest extends Partial<Omit<PlainRequest, 'url'>> {
  readonly method: Method
  readonly registry: string
  readonly path: string | URL
  readonly scopes: readonly string[]
}

export interface Answer {
  readonly status: number
  readonly headers: HttpHeaders
  /** All of it; empty when it comes as a stream. */
  readonly body: Uint8Array
  /** The body of a good answer that was asked for as a stream. Must be read to its end or destroyed. */
  readonly stream: Readable | undefined
  /** Where the answer came from, after redirects. */
  readonly url: URL
}

const DEFAULT_TRY_TIMEOUT_MS = 30_000
const DEFAULT_IDLE_TIMEOUT_MS = 120_000
const MAX_REDIRECTS = 5
/** Manifests and configs are small; more than this is a mistake or an attack. */
const MAX_BODY_BYTES = 64 * 1024 * 1024

/** Sends requests to registries: authorization, redirects, retries, time limits and at most 8 connections for each. */
export class RegistryTransport {
  readonly #options: HttpRegistryOptions
  readonly #clock: Clock
  readonly #connections: Connections
  readonly #auth: RegistryAuth
  /** Per registry: who waits here for its turn has the benefit of what others learn of logging in. */
  readonly #turns = new Map<string, ConcurrencyLimit>()
  /** Per host, also of token servers and storages. */
  readonly #slots = new Map<string, ConcurrencyLimit>()
  /** Passwords and tokens met so far; kept out of every error. */
  readonly #secrets = new Set<string>()

  constructor(options: HttpRegistryOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#connections = new Connections(options)
    this.#auth = new RegistryAuth({
      credentials: options.credentials,
      clock: this.#clock,
      send: (request) => this.retried(request, () => this.#followed(request)),
      secrets: this.#secrets,
    })
  }

  /** @throws RegistryError when no whole answer came; an answer of any status is returned. */
  async send(request: RegistryRequest): Promise<Answer> {
    const plain = this.plainRequest(request)
    return await this.retried(plain, () => this.attempt(request))
  }

  /** One try. @throws what broke, as it came */
  async attempt(request: RegistryRequest): Promise<Answer> {
    const plain = this.plainRequest(request)
    return await limitFor(this.#turns, request.registry).run(() => this.#authorized(plain, request.scopes))
  }

  /** Gets ahead what requests with these scopes need to be let in. @throws what broke, as it came */
  async logIn(registry: string, scopes: readonly string[]): Promise<void> {
    const target = { registry, scopes, plain: this.#isPlain(registry) }
    if ((await this.#auth.header(target)) !== undefined) return
    const url = this.#address(registry, '')
    const answer = await this.#followed({ method: 'GET', url, registry, headers: {}, body: undefined })
    const challenge = answer.headers.get('www-authenticate')
    if (answer.status === 401 && challenge !== null) await this.#auth.learn(target, challenge)
  }

  plainRequest(request: RegistryRequest): PlainRequest {
    const { path, scopes: _, headers = {}, body, ...rest } = request
    return { ...rest, url: typeof path === 'string' ? this.#address(request.registry, path) : path, headers, body }
  }

  /** What errors about this request may say. */
  failed({ method, url, registry }: Pick<PlainRequest, 'method' | 'url' | 'registry'>): FailedRequest {
    return { method, url, registry, secrets: this.#secrets }
  }

  /** Tries again what is worth it, after the wait that the registry or our own patience asks for. */
  async retried(request: PlainRequest, attempt: () => Promise<Answer>): Promise<Answer> {
    const { random = Math.random } = this.#options
    for (let tryNumber = 1; ; tryNumber += 1) {
      const time = { now: this.#clock.now(), random: random() }
      let delay: number | undefined
      try {
        const answer = await attempt()
        if (request.isFinal?.(answer) === true) return answer
        const retryAfter = answer.headers.get('retry-after')
        delay = retryDelay(tryNumber, { kind: 'status', status: answer.status, retryAfter }, time)
        if (delay === undefined) return answer
      } catch (error) {
        if (error instanceof ImageCacheError) throw error
        if (this.#options.signal?.aborted === true) throw cancelled()
        if (isUntrustedCertificate(failureCode(error)) && this.#connections.trustSystem(request.url)) continue
        delay = retryDelay(tryNumber, { kind: 'broken', error }, time)
        if (delay === undefined)
          throw networkError(error instanceof BodyError ? error.from : this.failed(request), error)
      }
      await this.#wait(delay)
    }
  }

  #address(registry: string, path: string): URL {
    const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry
    return new URL(`${this.#isPlain(registry) ? 'http' : 'https'}://${host}/v2/${path}`)
  }

  #isPlain(registry: string): boolean {
    return isLoopback(registry) || (this.#options.plainHttp ?? []).includes(registry)
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
    const target = { registry: request.registry, scopes, plain: this.#isPlain(request.registry) }
    // An upload address on another host is trusted with the bytes, not with the login.
    if (request.url.origin !== this.#address(request.registry, '').origin) return await this.#followed(request)
    const first = await this.#auth.header(target)
    const answer = await this.#followed(authorize(request, first))
    const challenge = answer.headers.get('www-authenticate')
    if (answer.status !== 401 || challenge === null) return answer
    const second = await this.#auth.answer(target, challenge, first)
    return second === undefined ? answer : await this.#followed(authorize(request, second))
  }

  /** One request and what its redirects lead to. */
  async #followed(request: PlainRequest): Promise<Answer> {
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

  async #once(request: PlainRequest): Promise<Answer> {
    const release = await limitFor(this.#slots, request.url.host).acquire()
    const limit = this.#timeLimit(request)
    const end = () => {
      limit.clear()
      release()
    }
    try {
      // Compressed answers would no longer have the length and digest that their headers state.
      const headers = { 'accept-encoding': 'identity', 'user-agent': 'image-cache-action', ...request.headers }
      const {
        status,
        headers: got,
        stream,
      } = await exchange({ ...request, headers }, this.#connections, limit.signal, {
        onProgress: limit.progress,
        onSent: this.#options.onWaiting,
      })
      const answer = { status, headers: got, url: request.url }
      if (request.answer === 'stream' && (status === 200 || status === 206)) {
        stream.on('data', limit.progress).pause()
        stream.once('close', end)
        limit.signal.addEventListener('abort', () => stream.destroy(toError(limit.signal.reason)), { once: true })
        return { ...answer, body: new Uint8Array(), stream }
      }
      const body = await readBody(stream).catch((error: unknown) => {
        throw limit.signal.aborted ? limit.signal.reason : error
      })
      end()
      return { ...answer, body, stream: undefined }
    } catch (error) {
      end()
      throw error
    }
  }

  #timeLimit({ body, answer }: PlainRequest): TimeLimit {
    const { signal, tryTimeoutMs = DEFAULT_TRY_TIMEOUT_MS, idleTimeoutMs = DEFAULT_IDLE_TIMEOUT_MS } = this.#options
    const isLong = answer === 'stream' || (body !== undefined && 'open' in body)
    return timeLimit(isLong ? idleTimeoutMs : tryTimeoutMs, isLong ? 'idle' : 'whole', signal)
  }
}

function limitFor(limits: Map<string, ConcurrencyLimit>, name: string): ConcurrencyLimit {
  const limit = limits.get(name) ?? concurrencyLimit(CONNECTIONS_PER_HOST)
  limits.set(name, limit)
  return limit
}

async function pauseUnlessAborted(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await pause(milliseconds, undefined, signal === undefined ? {} : { signal })
}

async function readBody(stream: Readable): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error(`the answer is larger than ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason })
}

function authorize(request: PlainRequest, authorization: string | undefined): PlainRequest {
  return authorization === undefined ? request : { ...request, headers: { ...request.headers, authorization } }
}

function isRead({ method }: PlainRequest): boolean {
  return method === 'GET' || method === 'HEAD'
}

function cancelled(): ImageCacheError {
  return new ImageCacheError('E_CANCELLED', 'the registry request was cancelled')
}
