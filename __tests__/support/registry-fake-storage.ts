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
  /** `ignored` answers a Range with the whole blob. */
  readonly ranges?: 'ignored'
  /** `forgets` doesn't know how far an upload came; `refuses` says it, but takes no rest. */
  readonly uploads?: 'forgets' | 'refuses'
  /** Descriptors on a page of the referrers API; without it there is no such API. */
  readonly referrersPage?: number
  /** A tag that is there can't be put again, whatever the image. */
  readonly immutableTags?: boolean
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
  /** The bytes of each upload so far. */
  readonly #uploads = new Map<string, Buffer>()
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
        return this.#getBlob(request, call)
      case 'POST blobs/uploads':
        return this.#openUpload(request, call, mayRead)
      case 'PUT blobs/uploads':
        return this.#finishUpload(request, call)
      case 'GET blobs/uploads':
        return this.#uploadStatus(request, call)
      case 'GET referrers':
        return this.#listReferrers(request, call)
    }
    return refusal(405, 'UNSUPPORTED')
  }

  /** Bytes of an upload that arrived before its connection broke. */
  keepUpload(id: string, bytes: Buffer): void {
    this.#uploads.set(id, Buffer.concat([this.#uploads.get(id) ?? Buffer.alloc(0), bytes]))
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
    if (this.#options.immutableTags && !name.startsWith('sha256:') && this.manifests.has(`${repository} ${name}`)) {
      return refusal(400, 'TAG_INVALID', {}, 'The tag is immutable.')
    }
    const stored = { mediaType: headers['content-type'] ?? '', bytes: body }
    for (const key of [name, digest]) this.manifests.set(`${repository} ${key}`, stored)
    const seen = manifest.subject !== undefined && this.#options.referrersPage !== undefined
    return created(digest, seen ? { 'oci-subject': manifest.subject.digest } : {})
  }

  #listReferrers({ url }: FakeRequest, { repository, name }: RegistryCall): FakeAnswer {
    const { referrersPage } = this.#options
    if (referrersPage === undefined)
      return { status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found' }
    const all = [...this.manifests].flatMap(([key, { bytes, mediaType }]) => {
      if (key !== `${repository} ${digestOf(bytes)}`) return []
      const { subject } = JSON.parse(new TextDecoder().decode(bytes))
      return subject?.digest === name ? [{ mediaType, digest: digestOf(bytes), size: bytes.length }] : []
    })
    const from = Number(url.searchParams.get('from') ?? 0)
    const manifests = all.slice(from, from + referrersPage)
    const more = from + referrersPage < all.length
    const link = `<${url.pathname}?from=${from + referrersPage}>; rel="next"`
    const mediaType = 'application/vnd.oci.image.index.v1+json'
    const body = JSON.stringify({ schemaVersion: 2, mediaType, manifests })
    return { status: 200, headers: { 'content-type': mediaType, ...(more ? { link } : {}) }, body }
  }

  #getBlob({ headers: { range } }: FakeRequest, { repository, name }: RegistryCall): FakeAnswer {
    const bytes = this.blobs.get(`${repository} ${name}`)
    if (bytes === undefined) return refusal(404, 'BLOB_UNKNOWN')
    if (this.#options.blobStorage !== undefined) {
      const location = `${this.#options.blobStorage}/v2/${repository}/blobs/${name}?signature=signed-value`
      return { status: 307, headers: { location } }
    }
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
    const whole = start === 0 || this.#options.ranges === 'ignored'
    const body = whole ? bytes : bytes.subarray(start)
    const headers = { 'content-length': String(body.length), 'content-type': 'application/octet-stream' }
    return { status: whole ? 200 : 206, headers, body }
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
    this.#uploads.set(id, Buffer.alloc(0))
    const path = `/v2/${repository}/blobs/uploads/${id}?_state=upload-state`
    const origins = { absolute: url.origin, relative: '', elsewhere: `http://localhost:${url.port}` }
    const location = `${origins[this.#options.uploadLocation ?? 'relative']}${path}`
    return { status: 202, headers: { location } }
  }

  #finishUpload({ url, headers, body }: FakeRequest, { repository, name }: RegistryCall): FakeAnswer {
    const before = this.#uploads.get(name)
    if (before === undefined || url.searchParams.get('_state') !== 'upload-state') {
      return refusal(404, 'BLOB_UPLOAD_UNKNOWN')
    }
    const start = Number(/^(\d+)-\d+$/.exec(headers['content-range'] ?? '')?.[1] ?? 0)
    if (start !== before.length || (start > 0 && this.#options.uploads === 'refuses'))
      return refusal(416, 'RANGE_INVALID')
    const whole = Buffer.concat([before, body])
    if (headers['content-type'] !== 'application/octet-stream') return refusal(415, 'UNSUPPORTED')
    const digest = `sha256:${createHash('sha256').update(whole).digest('hex')}`
    if (url.searchParams.get('digest') !== digest) return refusal(400, 'DIGEST_INVALID')
    this.#uploads.delete(name)
    this.blobs.set(`${repository} ${digest}`, whole)
    return created(digest)
  }

  #uploadStatus({ url }: FakeRequest, { repository, name }: RegistryCall): FakeAnswer {
    const bytes = this.#uploads.get(name)
    if (bytes === undefined || this.#options.uploads === 'forgets') return refusal(404, 'BLOB_UPLOAD_UNKNOWN')
    const location = `/v2/${repository}/blobs/uploads/${name}${url.search}`
    return { status: 204, headers: { location, range: `0-${Math.max(0, bytes.length - 1)}` } }
  }
}

export function refusal(
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
  message = `fake says ${code}`,
): FakeAnswer {
  const body = JSON.stringify({ errors: [{ code, message }] })
  return { status, headers: { 'content-type': 'application/json', ...headers }, body }
}

function created(digest: Digest | string, headers: Readonly<Record<string, string>> = {}): FakeAnswer {
  return { status: 201, headers: { 'docker-content-digest': digest, ...headers } }
}
