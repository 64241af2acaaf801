import type { CacheBlobs } from './cache-service-blobs.ts'
import type { CacheEntries } from './cache-service-entries.ts'
import { isRecord, type TokenScope } from './cache-service-token.ts'

export interface RpcAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export type RpcName = 'CreateCacheEntry' | 'FinalizeCacheEntryUpload' | 'GetCacheEntryDownloadURL'

export interface RpcState {
  readonly entries: CacheEntries
  readonly blobs: CacheBlobs
  /** Signed address of a blob, to write it or to read it. */
  readonly blobUrl: (id: string, purpose: 'r' | 'w') => string
}

const FIELDS: Readonly<Record<RpcName, readonly string[]>> = {
  CreateCacheEntry: ['metadata', 'key', 'version'],
  FinalizeCacheEntryUpload: ['metadata', 'key', 'size_bytes', 'version'],
  GetCacheEntryDownloadURL: ['metadata', 'key', 'restore_keys', 'version'],
}

const TAKEN = 'cache entry with the same key, version, and scope already exists'

export function isRpcName(text: string): text is RpcName {
  return text in FIELDS
}

/** Twirp's form of an error (its specification, "Error Codes"). */
export function twirpError(status: number, code: string, msg: string): RpcAnswer {
  return { status, body: { code, msg } }
}

/** Answers one call as the cache service v2 does; refuses every request that it would not understand. */
export function answerRpc(name: RpcName, request: unknown, scopes: readonly TokenScope[], state: RpcState): RpcAnswer {
  const problem = checkRequest(name, request)
  if (problem !== undefined) return twirpError(400, 'invalid_argument', problem)
  if (!isRecord(request)) return twirpError(400, 'malformed', 'the request is no JSON object')
  const { key, version } = request
  if (typeof key !== 'string' || typeof version !== 'string') return twirpError(400, 'invalid_argument', 'key')
  if (name === 'GetCacheEntryDownloadURL') return find(key, request.restore_keys, version, scopes, state)
  const writable = scopes.find(({ permission }) => permission !== 'read')
  if (writable === undefined) {
    return { status: 200, body: { ok: false, message: 'cache write denied: the token has no writable scope' } }
  }
  if (name === 'CreateCacheEntry') return create(key, version, writable.scope, state)
  return finalize(key, version, Number(request.size_bytes ?? 0), writable.scope, state)
}

function create(key: string, version: string, scope: string, { entries, blobUrl }: RpcState): RpcAnswer {
  const entry = entries.reserve(scope, key, version)
  if (entry === undefined) return twirpError(409, 'already_exists', TAKEN)
  return { status: 200, body: { ok: true, signed_upload_url: blobUrl(entry.blobId, 'w'), message: '' } }
}

function finalize(key: string, version: string, size: number, scope: string, { entries, blobs }: RpcState): RpcAnswer {
  const entry = entries.reserved(scope, key, version)
  if (entry === undefined) return twirpError(404, 'not_found', 'no reservation for this key and version')
  if (blobs.size(entry.blobId) !== size) {
    return { status: 200, body: { ok: false, message: `size_bytes ${size} is not the size of the upload` } }
  }
  entries.finalize(entry, size)
  return { status: 200, body: { ok: true, entry_id: String(entry.id), message: '' } }
}

function find(
  key: string,
  restoreKeys: unknown,
  version: string,
  scopes: readonly TokenScope[],
  { entries, blobUrl }: RpcState,
): RpcAnswer {
  if (scopes.every(({ permission }) => permission === 'write')) {
    return twirpError(403, 'permission_denied', 'cache read denied: the token has no readable scope')
  }
  const more = Array.isArray(restoreKeys) ? restoreKeys.map(String) : []
  const entry = entries.match(scopes, { keys: [key, ...more], version })
  if (entry === undefined) return { status: 200, body: { ok: false } }
  return { status: 200, body: { ok: true, signed_download_url: blobUrl(entry.blobId, 'r'), matched_key: entry.key } }
}

function checkRequest(name: RpcName, request: unknown): string | undefined {
  if (!isRecord(request)) return 'the request is no JSON object'
  const unknown = Object.keys(request).find((field) => !FIELDS[name].includes(field))
  if (unknown !== undefined) return `unknown field ${unknown}`
  const restoreKeys: unknown = request.restore_keys ?? []
  if (!Array.isArray(restoreKeys) || restoreKeys.length > 9) return 'restore_keys is no list of at most 9 keys'
  for (const key of [request.key, ...restoreKeys]) {
    if (typeof key !== 'string' || key === '' || key.length > 512 || key.includes(',')) return `bad key ${String(key)}`
  }
  if (typeof request.version !== 'string' || !/^[0-9a-f]{64}$/.test(request.version)) return 'version is no SHA-256'
  const size = request.size_bytes
  if (size !== undefined && !/^\d{1,12}$/.test(String(size))) return 'size_bytes is no number'
  return undefined
}
