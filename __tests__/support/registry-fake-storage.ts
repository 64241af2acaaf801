import { createHash, randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type Digest, digestOf } from '../../src/base/digest.ts'

export interface FakeRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface FakeAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

/** A registry request, taken apart. */
export interface RegistryCall {
  readonly repository: string
  readonly noun: string
  /** The tag, digest or upload. */
  readonly name: string
}

export interface FakeStorageOptions {
  /** Another origin, such as `http://localhost:1234`, that GETs of blobs are redirected to. */
  readonly blobStorage?: string
  /** `refuse` opens an upload instead of mounting. */
  readonly mounts?: 'refuse'
  /** How an upload's Location is written; `elsewhere` is another origin that leads here, too. */
  readonly uploadLocation?: 'absolute' | 'relative' | 'elsewhere'
  /** Headers that answers to HEAD and GET of manifests go without. */
  readonly without?: readonly string[]
}

interface StoredManifest {
  readonly mediaType: string
  readonly bytes: Uint8Array
}

/** What the fake registry holds, and its answers once a request was let in. */
export class FakeStorage {
  /** Keys are `repository digest` and `repository tag`. */
  readonly manifests = new Map<string, StoredManifest>()
  readonly blobs = new Map<string, Uint8Array>()
  readonly #uploads = new Set<string>()
  readonly #options: FakeStorageOptions

  constructor(options: FakeStorageOptions) {
    this.#options = options
  }

  /** @param mayRead whether the request may also pull from another repository */
  answer(request: FakeRequest, call: RegistryCall, mayRead: (repository: string) => boolean): FakeAnswer {
    switch (`${request.method} ${call.noun}`) {
      case 'HEAD manifests':
      case 'GET manifests':
        return this.#getManifest(request, call)
      case 'PUT manifests':
        return this.#putManifest(request, call)
      case 'HEAD blobs':
      case 'GET blobs':
        return this.#getBlob(call)
      case 'POST blobs/uploads':
        return this.#openUpload(request, call, mayRead)
      case 'PUT blobs/uploads':
        return this.#finishUpload(request, call)
    }
    return refusal(405, 'UNSUPPORTED')
  }

  #getManifest({ headers: { accept = '' } }: FakeRequest, { repository, name }: RegistryCall): FakeAnswer {
    const stored = this.manifests.get(`${repository} ${name}`)
    const isKnown = [...this.manifests.keys()].some((key) => key.startsWith(`${repository} `))
    if (stored === undefined) return refusal(404, isKnown ? 'MANIFEST_UNKNOWN' : 'NAME_UNKNOWN')
    if (!accept.split(/,\s*/).includes(stored.mediaType)) return refusal(404, 'MANIFEST_UNKNOWN')
    const headers = {
      'content-type': stored.mediaType,
      'content-length': String(stored.bytes.length),
      'docker-content-digest': digestOf(stored.bytes),
    }
    const kept = Object.entries(headers).filter(([header]) => !this.#options.without?.includes(header))
    return { status: 200, headers: Object.fromEntries(kept), body: stored.bytes }
  }

  #putManifest({ headers, body }: FakeRequest, { repository, name }: RegistryCall): FakeAnswer {
    const digest = digestOf(body)
    const manifest = JSON.parse(body.toString())
    const parts: { digest: string }[] = [
      ...(manifest.config === undefined ? [] : [manifest.config]),
      ...(manifest.layers ?? []),
      ...(manifest.manifests ?? []),
    ]
    const isHere = (key: string) => this.blobs.has(key) || this.manifests.has(key)
    if (!parts.every((part) => isHere(`${repository} ${part.digest}`))) return refusal(400, 'MANIFEST_BLOB_UNKNOWN')
    if (name.startsWith('sha256:') && name !== digest) return refusal(400, 'DIGEST_INVALID')
    const stored = { mediaType: headers['content-type'] ?? '', bytes: body }
    for (const key of [name, digest]) this.manifests.set(`${repository} ${key}`, stored)
    return created(digest)
  }

  #getBlob({ repository, name }: RegistryCall): FakeAnswer {
    const bytes = this.blobs.get(`${repository} ${name}`)
    if (bytes === undefined) return refusal(404, 'BLOB_UNKNOWN')
    if (this.#options.blobStorage !== undefined) {
      const location = `${this.#options.blobStorage}/v2/${repository}/blobs/${name}?signature=signed-value`
      return { status: 307, headers: { location } }
    }
    const headers = { 'content-length': String(bytes.length), 'content-type': 'application/octet-stream' }
    return { status: 200, headers, body: bytes }
  }

  #openUpload({ url }: FakeRequest, { repository }: RegistryCall, mayRead: (from: string) => boolean): FakeAnswer {
    const digest = url.searchParams.get('mount')
    const from = url.searchParams.get('from') ?? ''
    const source = this.blobs.get(`${from} ${digest}`)
    if (digest !== null && source !== undefined && this.#options.mounts !== 'refuse' && mayRead(from)) {
      this.blobs.set(`${repository} ${digest}`, source)
      return created(digest)
    }
    const id = randomUUID()
    this.#uploads.add(id)
    const path = `/v2/${repository}/blobs/uploads/${id}?_state=upload-state`
    const origins = { absolute: url.origin, relative: '', elsewhere: `http://localhost:${url.port}` }
    const location = `${origins[this.#options.uploadLocation ?? 'relative']}${path}`
    return { status: 202, headers: { location } }
  }

  #finishUpload({ url, headers, body }: FakeRequest, { repository, name }: RegistryCall): FakeAnswer {
    if (!this.#uploads.has(name) || url.searchParams.get('_state') !== 'upload-state') {
      return refusal(404, 'BLOB_UPLOAD_UNKNOWN')
    }
    if (headers['content-type'] !== 'application/octet-stream') return refusal(415, 'UNSUPPORTED')
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
    if (url.searchParams.get('digest') !== digest) return refusal(400, 'DIGEST_INVALID')
    this.#uploads.delete(name)
    this.blobs.set(`${repository} ${digest}`, body)
    return created(digest)
  }
}

export function refusal(status: number, code: string, headers: Readonly<Record<string, string>> = {}): FakeAnswer {
  const body = JSON.stringify({ errors: [{ code, message: `fake says ${code}` }] })
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}

function created(digest: Digest | string): FakeAnswer {
  return { status: 201, headers: { 'docker-content-digest': digest } }
}
