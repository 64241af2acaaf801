import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { CacheBlobs } from './cache-service-blobs.ts'
import { CacheEntries, type CacheEntry } from './cache-service-entries.ts'
import { answerRpc, isRpcName, type RpcAnswer, type RpcName, twirpError } from './cache-service-rpc.ts'
import { mintToken, readToken, sameText, signBlob, type TokenScope } from './cache-service-token.ts'

/** The calls that are counted and that can be made to fail; `download` is a HEAD or GET of a blob, `upload` a PUT. */
export type CacheApi = RpcName | 'upload' | 'download'

/**
 * An HTTP status; `reset`: the connection breaks before an answer; `corrupt`: a byte of the answer is changed;
 * `cut-off`: the connection breaks in the middle of the answer; `lost`: it is done, but the connection breaks before
 * the answer; `hang`: no answer at all.
 */
export type CacheFault = number | 'reset' | 'corrupt' | 'cut-off' | 'lost' | 'hang'

export interface CacheServiceOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  /** Milliseconds that each request waits before it is answered. */
  readonly latency?: number
}

export interface CacheServiceEnv {
  /** Ref of the run, by default `refs/heads/main`. */
  readonly scope?: string
  /** Further refs that the run may read; by default the default branch. */
  readonly readScopes?: readonly string[]
  readonly readOnly?: boolean
}

/** A running emulator of GitHub's cache service v2 on the loopback interface. */
export interface CacheService {
  readonly url: string
  token(options: { readonly scopes: readonly TokenScope[] }): string
  /** What the runner puts into the environment of an action's process. */
  env(options?: CacheServiceEnv): Record<string, string>
  counts(): Readonly<Record<CacheApi, number>>
  /** The next calls of an API fail in this way, after faults that were asked for before. */
  failNext(api: CacheApi, fault: CacheFault, times?: number): void
  entries(): readonly CacheEntry[]
  /** Forgets the entries of a key, as GitHub does when there is no room or nobody asked for them in a week. */
  evict(key: string): void
  /** Forgets entries, counts and faults. */
  reset(): void
  close(): Promise<void>
}

const ROUTE = '/twirp/github.actions.results.api.v1.CacheService/'
const NO_CALLS = {
  CreateCacheEntry: 0,
  FinalizeCacheEntryUpload: 0,
  GetCacheEntryDownloadURL: 0,
  upload: 0,
  download: 0,
}

/** Answer before it is sent: to be changed by a fault, if one was asked for. */
interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** Starts the emulator; it keeps everything in memory. */
export async function startCacheService(options: CacheServiceOptions = {}): Promise<CacheService> {
  const secret = randomBytes(32)
  const entries = new CacheEntries()
  const blobs = new CacheBlobs()
  const counts: Record<CacheApi, number> = { ...NO_CALLS }
  const faults = new Map<CacheApi, CacheFault[]>()
  let url = ''

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ code: 'internal', msg: String(error) }))
    })
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = new URL(request.url ?? '/', url)
    const body = await readBody(request)
    if (options.latency !== undefined) await delay(options.latency)
    const api = apiOf(request, target)
    if (api !== undefined) counts[api] += 1
    const fault = api === undefined ? undefined : faults.get(api)?.shift()
    if (fault === 'hang') return
    if (fault === 'reset') return void request.socket.destroy()
    if (typeof fault === 'number') return send(request, response, refusal(fault))
    const answer =
      api === undefined ? json(twirpError(404, 'bad_route', target.pathname)) : act(api, request, target, body)
    if (fault === 'lost') return void request.socket.destroy()
    send(request, response, answer, fault)
  }

  function act(api: CacheApi, request: IncomingMessage, target: URL, body: Buffer): Answer {
    if (api === 'upload' || api === 'download') return blob(api, request, target, body)
    if (request.headers['content-type'] !== 'application/json')
      return json(twirpError(400, 'malformed', 'content-type'))
    const [, token] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? []
    const scopes = token === undefined ? undefined : readToken(secret, token, Date.now() / 1000)
    if (scopes === undefined) return json(twirpError(401, 'unauthenticated', 'no valid runtime token'))
    const state = { entries, blobs, blobUrl }
    return json(answerRpc(api, parseJson(body), scopes, state))
  }

  function blob(api: 'upload' | 'download', request: IncomingMessage, target: URL, body: Buffer): Answer {
    const id = target.pathname.slice('/blobs/'.length)
    const signature = target.searchParams.get('sig') ?? ''
    if (!sameText(signature, signBlob(secret, id, api === 'upload' ? 'w' : 'r'))) return refusal(403)
    if (api === 'upload') return blobs.put(id, target.searchParams, request.headers, body)
    return blobs.get(id, request.headers)
  }

  function blobUrl(id: string, purpose: 'r' | 'w'): string {
    return `${url}blobs/${id}?sp=${purpose}&sig=${encodeURIComponent(signBlob(secret, id, purpose))}`
  }

  function token({ scopes }: { readonly scopes: readonly TokenScope[] }): string {
    return mintToken(secret, scopes, Math.floor(Date.now() / 1000))
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${portOf(server.address())}/`

  return {
    url,
    token,
    env: (wanted = {}) => ({
      ACTIONS_CACHE_SERVICE_V2: 'True',
      ACTIONS_RESULTS_URL: url,
      ACTIONS_RUNTIME_TOKEN: token({ scopes: scopesOf(wanted) }),
    }),
    counts: () => ({ ...counts }),
    failNext: (api, fault, times = 1) => {
      faults.set(api, [...(faults.get(api) ?? []), ...Array.from({ length: times }, () => fault)])
    },
    entries: () => entries.all(),
    evict: (key) => entries.evict(key),
    reset: () => {
      Object.assign(counts, NO_CALLS)
      faults.clear()
      entries.clear()
      blobs.clear()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function scopesOf({ scope = 'refs/heads/main', readScopes = ['refs/heads/main'], readOnly = false }: CacheServiceEnv) {
  const own: TokenScope = { scope, permission: readOnly ? 'read' : 'read-write' }
  const others = readScopes.filter((name) => name !== scope)
  return [own, ...others.map((name): TokenScope => ({ scope: name, permission: 'read' }))]
}

function apiOf(request: IncomingMessage, target: URL): CacheApi | undefined {
  if (target.pathname.startsWith(ROUTE) && request.method === 'POST') {
    const name = target.pathname.slice(ROUTE.length)
    return isRpcName(name) ? name : undefined
  }
  if (!target.pathname.startsWith('/blobs/')) return undefined
  if (request.method === 'PUT') return 'upload'
  return request.method === 'GET' || request.method === 'HEAD' ? 'download' : undefined
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer, fault?: CacheFault): void {
  const body = fault === 'corrupt' ? corrupt(answer.body ?? Buffer.alloc(0)) : (answer.body ?? Buffer.alloc(0))
  response.writeHead(answer.status, {
    'x-ms-request-id': '00000000-0000-0000-0000-000000000000',
    'x-ms-version': '2025-01-05',
    ...answer.headers,
    'content-length': String(body.length),
  })
  if (request.method === 'HEAD') response.end()
  else if (fault === 'cut-off') response.write(body.subarray(0, body.length / 2), () => request.socket.destroy())
  else response.end(body)
}

function corrupt(body: Buffer): Buffer {
  const changed = Buffer.from(body)
  const middle = Math.floor(changed.length / 2)
  if (changed.length > 0) changed.writeUInt8(changed.readUInt8(middle) ^ 0xff, middle)
  return changed
}

function refusal(status: number): Answer {
  const answer = json(twirpError(status, status === 429 ? 'resource_exhausted' : 'internal', 'as the test asked'))
  return status === 429 ? { ...answer, headers: { ...answer.headers, 'retry-after': '60' } } : answer
}

function json({ status, body }: RpcAnswer): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
