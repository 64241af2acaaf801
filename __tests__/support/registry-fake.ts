import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
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
export type RequestKind = `${'GET' | 'HEAD' | 'POST' | 'PUT'} ${'manifests' | 'blobs' | 'uploads' | 'token' | 'other'}`

export interface SeenRequest {
  readonly kind: RequestKind
  /** With its query. */
  readonly path: string
  readonly authorization: string
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
  | { readonly kind: 'cut-off' }
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
    this.#server = createServer((request, response) => void this.#receive(request, response))
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

  removeBlob(repository: string, digest: Digest): void {
    this.#storage.blobs.delete(`${repository} ${digest}`)
  }

  /** The JSON under a tag or digest. */
  manifest(repository: string, name: string): unknown {
    const stored = this.#storage.manifests.get(`${repository} ${name}`)
    return stored && JSON.parse(new TextDecoder().decode(stored.bytes))
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
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
    await pause(this.#latencyMs)
    const request = {
      method: incoming.method ?? '',
      url: new URL(incoming.url ?? '/', `http://${this.host}`),
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    }
    const seen = seenRequest(request)
    this.requests.push(seen)
    const answer = this.#troubled(seen.kind, request, incoming, response)
    if (answer === undefined) return
    seen.status = answer.status
    seen.sent = request.method === 'HEAD' ? 0 : Buffer.byteLength(answer.body ?? '')
    response.writeHead(answer.status, answer.headers).end(answer.body)
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
      case 'cut-off':
        response.writeHead(200, { 'content-length': '1000', 'content-type': 'application/json' })
        response.write('{"schema', () => incoming.socket.destroy())
        return undefined
      case 'answer-lost':
        this.#answer(request)
        incoming.socket.destroy()
        return undefined
      case 'reset':
        incoming.socket.destroy()
        return undefined
      case 'silent':
        return undefined
    }
  }

  #answer(request: FakeRequest): FakeAnswer {
    if (request.url.pathname === '/token') return this.gate.answerToken(request)
    const [, repository = '', noun = '', name = ''] =
      /^\/v2\/(.+?)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(request.url.pathname) ?? []
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
    received: body.length,
    sent: 0,
    status: 0,
  }
}

function kindOf(method: string, path: string): RequestKind {
  const verb = method === 'HEAD' || method === 'POST' || method === 'PUT' ? method : 'GET'
  if (path === '/token') return `${verb} token`
  if (path.includes('/blobs/uploads/')) return `${verb} uploads`
  if (path.includes('/blobs/')) return `${verb} blobs`
  return path.includes('/manifests/') ? `${verb} manifests` : `${verb} other`
}
