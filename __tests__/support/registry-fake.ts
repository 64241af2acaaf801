import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { type Digest, digestOf } from '../../src/base/digest.ts'
import { type FakeAuth, FakeGate } from './registry-fake-auth.ts'
import {
  type FakeAnswer,
  type FakeRequest,
  FakeStorage,
  type FakeStorageOptions,
  refusal,
} from './registry-fake-storage.ts'

/** What a request was about: `HEAD manifests`, `GET blobs`, `POST uploads`, `PUT uploads`, `GET token`. */
export type RequestKind =
  `${'GET' | 'HEAD' | 'POST' | 'PUT'} ${'manifests' | 'blobs' | 'uploads' | 'referrers' | 'token' | 'other'}`

export interface SeenRequest {
  readonly kind: RequestKind
  /** With its query. */
  readonly path: string
  readonly authorization: string
  readonly headers: IncomingHttpHeaders
  /** Bytes of the request's body. */
  readonly received: number
  /** Bytes of the answer's body; 0 until it is answered. */
  sent: number
  status: number
}

/** A trouble that the next request of a kind runs into. */
export type Fault =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly code?: string
      readonly message?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  | { readonly kind: 'reset' }
  /** Never answered. */
  | { readonly kind: 'silent' }
  /** Ends in the middle; with `afterBytes`, of the true answer. */
  | { readonly kind: 'cut-off'; readonly afterBytes?: number }
  /** A byte every few milliseconds, without end. */
  | { readonly kind: 'trickle' }
  /** The head of the answer, then nothing more. */
  | { readonly kind: 'stalled' }
  /** The connection breaks after so many bytes of an upload, which are kept. */
  | { readonly kind: 'reset-upload'; readonly afterBytes: number }
  /** Other bytes than asked for, with headers that fit them. */
  | { readonly kind: 'wrong-bytes' }
  | { readonly kind: 'html'; readonly status?: number }
  /** The work is done, but its answer is lost. */
  | { readonly kind: 'answer-lost' }
  /** Something else happens on the registry just before this request. */
  | { readonly kind: 'meanwhile'; readonly act: () => void }

export interface RegistryFakeOptions extends FakeStorageOptions {
  /** Open to all when undefined. */
  readonly auth?: FakeAuth
  /** How long each answer takes, so that requests overlap. */
  readonly latencyMs?: number
  /** Speaks TLS with this certificate; `clientCa` lets in only those who show one that it signed. All in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientCa?: string }
}

/**
 * A registry on loopback that is stricter than real ones: it answers 404 to a GET whose Accept doesn't list the media
 * type, takes no manifest whose blobs are missing in its repository, and no token that wasn't issued for the scope.
 */
export class RegistryFake {
  readonly requests: SeenRequest[] = []
  readonly gate: FakeGate
  /** The most requests that were under way at the same time. */
  mostAtOnce = 0
  /** Connections that were opened in all. */
  connections = 0
  readonly #storage: FakeStorage
  readonly #latencyMs: number
  readonly #server: Server
  readonly #faults: { readonly on: RequestKind; readonly fault: Fault }[] = []
  #port = 0
  #open = 0

  constructor(options: RegistryFakeOptions) {
    this.#latencyMs = options.latencyMs ?? 0
    this.gate = new FakeGate(options.auth)
    this.#storage = new FakeStorage(options)
    const receive = (request: IncomingMessage, response: ServerResponse) => void this.#receive(request, response)
    const { tls } = options
    const clients = tls?.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }
    this.#server = tls === undefined ? createServer(receive) : createTlsServer({ ...tls, ...clients }, receive)
    this.#server.on('connection', () => {
      this.connections += 1
    })
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : 0
    return this
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** The registry's name in references. */
  get host(): string {
    return `127.0.0.1:${this.#port}`
  }

  get kinds(): readonly RequestKind[] {
    return this.requests.map(({ kind }) => kind)
  }

  count(kind: RequestKind): number {
    return this.requests.filter((request) => request.kind === kind).length
  }

  /** The next `times` requests of this kind run into the fault. */
  fail(on: RequestKind, fault: Fault, times = 1): void {
    for (let n = 0; n < times; n += 1) this.#faults.push({ on, fault })
  }

  addManifest(repository: string, tag: string, mediaType: string, content: unknown): Digest {
    const bytes = Buffer.from(JSON.stringify(content))
    const digest = digestOf(bytes)
    for (const name of [tag, digest]) this.#storage.manifests.set(`${repository} ${name}`, { mediaType, bytes })
    return digest
  }

  addBlob(repository: string, content: Uint8Array | string): { digest: Digest; size: number } {
    const bytes = Buffer.from(content)
    this.#storage.blobs.set(`${repository} ${digestOf(bytes)}`, bytes)
    return { digest: digestOf(bytes), size: bytes.length }
  }

  /** Bytes under a digest that isn't theirs. */
  addBlobAs(repository: string, digest: Digest, bytes: Uint8Array): void {
    this.#storage.blobs.set(`${repository} ${digest}`, bytes)
  }

  removeBlob(repository: string, digest: Digest): void {
    this.#storage.blobs.delete(`${repository} ${digest}`)
  }

  /** Forgets all manifests of a repository but those under these tags. */
  lose(repository: string, ...kept: readonly string[]): void {
    const names = new Set(kept.flatMap((tag) => [tag, this.digestOfTag(repository, tag) ?? tag]))
    for (const key of [...this.#storage.manifests.keys()]) {
      const isOwn = key.startsWith(`${repository} `) && !names.has(key.slice(repository.length + 1))
      if (isOwn) this.#storage.manifests.delete(key)
    }
  }

  /** The JSON under a tag or digest. */
  manifest(repository: string, name: string): unknown {
    const stored = this.#storage.manifests.get(`${repository} ${name}`)
    return stored && JSON.parse(new TextDecoder().decode(stored.bytes))
  }

  tagsOf(repository: string): readonly string[] {
    const names = [...this.#storage.manifests.keys()].filter((key) => key.startsWith(`${repository} `))
    return names.map((key) => key.slice(repository.length + 1)).filter((name) => !name.startsWith('sha256:'))
  }

  digestOfTag(repository: string, tag: string): Digest | undefined {
    const stored = this.#storage.manifests.get(`${repository} ${tag}`)
    return stored && digestOf(stored.bytes)
  }

  blob(repository: string, digest: string): Uint8Array | undefined {
    return this.#storage.blobs.get(`${repository} ${digest}`)
  }

  async #receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open)
    response.on('close', () => {
      this.#open -= 1
    })
    const head = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '/', `http://${this.host}`),
      headers: incoming.headers,
    }
    const body = await this.#receiveBody(kindOf(head.method, head.url.pathname), head.url, incoming)
    const request = { ...head, body: body ?? Buffer.alloc(0) }
    const seen = seenRequest(request)
    this.requests.push(seen)
    if (body === undefined) return
    await pause(this.#latencyMs)
    const answer = this.#troubled(seen.kind, request, incoming, response)
    if (answer === undefined) return
    seen.status = answer.status
    seen.sent = request.method === 'HEAD' ? 0 : Buffer.byteLength(answer.body ?? '')
    // Stated also for a HEAD, as real servers do: a connection with an answer of unknown length isn't kept.
    const length = { 'content-length': String(Buffer.byteLength(answer.body ?? '')) }
    const stated = answer.status === 200 && request.method === 'HEAD' ? {} : length
    response.writeHead(answer.status, { ...stated, ...answer.headers }).end(answer.body)
  }

  /** @returns undefined when the connection broke meanwhile */
  async #receiveBody(kind: RequestKind, url: URL, incoming: IncomingMessage): Promise<Buffer | undefined> {
    const index = this.#faults.findIndex(({ on }) => on === kind)
    const fault = this.#faults[index]?.fault
    const limit = fault?.kind === 'reset-upload' ? fault.afterBytes : Number.POSITIVE_INFINITY
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of incoming) {
        chunks.push(Buffer.from(chunk))
        size += chunk.length
        if (size < limit) continue
        this.#faults.splice(index, 1)
        this.#storage.keepUpload(url.pathname.split('/').at(-1) ?? '', Buffer.concat(chunks).subarray(0, limit))
        incoming.socket.destroy()
        return undefined
      }
      return Buffer.concat(chunks)
    } catch {
      // The client went away: a registry keeps what it has got.
      if (kind === 'PUT uploads') this.#storage.keepUpload(url.pathname.split('/').at(-1) ?? '', Buffer.concat(chunks))
      return undefined
    }
  }

  /** @returns undefined when no answer is to be sent */
  #troubled(
    kind: RequestKind,
    request: FakeRequest,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): FakeAnswer | undefined {
    const index = this.#faults.findIndex(({ on }) => on === kind)
    const fault = index === -1 ? undefined : this.#faults.splice(index, 1)[0]?.fault
    switch (fault?.kind) {
      case undefined:
        return this.#answer(request)
      case 'status':
        return {
          status: fault.status,
          headers: { 'content-type': 'application/json', ...fault.headers },
          body: JSON.stringify({ errors: [{ code: fault.code ?? 'UNKNOWN', message: fault.message ?? 'fault' }] }),
        }
      case 'html':
        return {
          status: fault.status ?? 200,
          headers: { 'content-type': 'text/html' },
          body: '<!DOCTYPE html><p>Welcome</p>',
        }
      case 'wrong-bytes':
        return {
          status: 200,
          headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
          body: '{"schemaVersion":2}',
        }
      case 'meanwhile':
        fault.act()
        return this.#answer(request)
      case 'cut-off': {
        if (fault.afterBytes !== undefined) {
          const { status, headers, body = '' } = this.#answer(request)
          response.writeHead(status, headers)
          response.write(Buffer.from(body).subarray(0, fault.afterBytes), () => incoming.socket.destroy())
          return undefined
        }
        response.writeHead(200, { 'content-length': '1000', 'content-type': 'application/json' })
        response.write('{"schema', () => incoming.socket.destroy())
        return undefined
      }
      case 'stalled':
        response.writeHead(200, { 'content-length': '1000', 'content-type': 'application/json' }).flushHeaders()
        return undefined
      case 'trickle': {
        response.writeHead(200, { 'content-type': 'application/json' })
        const timer = setInterval(() => response.write(' '), 5)
        response.on('close', () => clearInterval(timer))
        return undefined
      }
      case 'answer-lost':
        this.#answer(request)
        incoming.socket.destroy()
        return undefined
      case 'reset':
        incoming.socket.destroy()
        return undefined
      case 'silent':
      case 'reset-upload':
        return undefined
    }
  }

  #answer(request: FakeRequest): FakeAnswer {
    if (request.url.pathname === '/token') return this.gate.answerToken(request)
    if (request.url.pathname === '/v2/') return this.#greet(request)
    const [, repository = '', noun = '', name = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs|referrers)\/(.*)$/.exec(request.url.pathname) ?? []
    if (repository === '') return refusal(404, 'NAME_INVALID')
    const action = request.method === 'PUT' || request.method === 'POST' ? 'push' : 'pull'
    const authorization = request.headers.authorization ?? ''
    if (!this.gate.admits(authorization, repository, action)) {
      const actions = action === 'push' ? 'pull,push' : 'pull'
      const challenge = this.gate.challenge(this.host, repository, actions)
      return refusal(401, 'UNAUTHORIZED', { 'www-authenticate': challenge })
    }
    const mayRead = (from: string) => this.gate.admits(authorization, from, 'pull')
    return this.#storage.answer(request, { repository, noun, name }, mayRead)
  }

  /** Asks for a login, and names a repository that isn't there, as GitHub's registry does. */
  #greet({ headers }: FakeRequest): FakeAnswer {
    if (this.gate.admits(headers.authorization ?? '', 'user/image', 'pull')) return { status: 200, headers: {} }
    const challenge = this.gate.challenge(this.host, 'user/image', 'pull')
    return refusal(401, 'UNAUTHORIZED', { 'www-authenticate': challenge })
  }
}

/** Starts a fake; close it at the end of the test. */
export async function startRegistryFake(options: RegistryFakeOptions = {}): Promise<RegistryFake> {
  return await new RegistryFake(options).start()
}

function seenRequest({ method, url, headers, body }: FakeRequest): SeenRequest {
  return {
    kind: kindOf(method, url.pathname),
    path: url.pathname + url.search,
    authorization: headers.authorization ?? '',
    headers,
    received: body.length,
    sent: 0,
    status: 0,
  }
}

function kindOf(method: string, path: string): RequestKind {
  const verb = method === 'HEAD' || method === 'POST' || method === 'PUT' ? method : 'GET'
  if (path === '/token') return `${verb} token`
  if (path.includes('/blobs/uploads/')) return `${verb} uploads`
  if (path.includes('/referrers/')) return `${verb} referrers`
  if (path.includes('/blobs/')) return `${verb} blobs`
  return path.includes('/manifests/') ? `${verb} manifests` : `${verb} other`
}
