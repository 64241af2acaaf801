import { type Digest, digestOf } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import { checkedBlob } from './blob-stream.ts'
import { type ConcurrencyLimit, concurrencyLimit } from './concurrency-limit.ts'
import type { StreamedBody } from './http-exchange.ts'
import { redirectTarget } from './redirect-target.ts'
import { formatRepository, type RepositoryName, sameRepository } from './reference.ts'
import type { BlobMove, Descriptor, MountOutcome } from './registry.ts'
import { contentError, RegistryError, statusError } from './registry-error.ts'
import { pullScope, pushScope } from './registry-scope.ts'
import type { Answer, RegistryRequest, RegistryTransport } from './registry-transport.ts'
import { isPassingFailure } from './retry-delay.ts'

/** A blob that is to come from one repository into another. */
interface Copy {
  readonly blob: Pick<Descriptor, 'digest' | 'size'>
  readonly from: RepositoryName
  readonly to: RepositoryName
}

/** An upload that the registry has opened; the first `offset` bytes are there. */
interface Upload {
  readonly url: URL
  readonly offset: number
}

/** Half of the connections of a registry, so that copies within one registry find the other half free. */
const COPIES_AT_ONCE = 4
const BYTES = { 'content-type': 'application/octet-stream' }

/** Gets blobs into repositories (distribution spec, "Pushing blobs", "Mounting a blob from another repository"). */
export class BlobTransfer {
  readonly #transport: RegistryTransport
  readonly #copies: ConcurrencyLimit = concurrencyLimit(COPIES_AT_ONCE)

  constructor(transport: RegistryTransport) {
    this.#transport = transport
  }

  async put(repository: RepositoryName, bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes)
    for (let round = 1; ; round += 1) {
      if (await this.has(repository, digest)) return digest
      const upload = await this.#begin(repository)
      const request = closingPut(repository, upload, { digest, size: bytes.length }, bytes)
      const answer = await this.#transport.send(request)
      if (isDone(answer)) return digest
      // A first PUT whose answer was lost has closed its upload: look again before starting a new one.
      if (answer.status !== 404 || round > 1) throw this.#statusError(request, answer)
    }
  }

  async mount(repository: RepositoryName, digest: Digest, from: RepositoryName): Promise<MountOutcome> {
    if (from.registry !== repository.registry) return 'refused'
    if (from.path === repository.path) return 'mounted'
    const request: RegistryRequest = {
      method: 'POST',
      registry: repository.registry,
      path: `${repository.path}/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from.path)}`,
      scopes: [pushScope(repository), pullScope(from)],
    }
    try {
      const answer = await this.#transport.send(request)
      if (answer.status === 201) return 'mounted'
      // 202 opens an upload instead; it is left to run out, as the spec has no way to be sure of cancelling it.
      if (answer.status === 202 || answer.status === 404 || answer.status === 405) return 'refused'
      throw this.#statusError(request, answer)
    } catch (error) {
      // Who may push here need not be allowed to read there: copying will tell.
      if (error instanceof RegistryError && error.code === 'E_REGISTRY_AUTH') return 'refused'
      throw error
    }
  }

  async copy(copy: Copy): Promise<BlobMove> {
    const { blob, from, to } = copy
    if (sameRepository(from, to)) return 'present'
    const mount = await this.mount(to, blob.digest, from)
    if (mount === 'mounted') return 'mounted'
    if (await this.has(to, blob.digest)) return 'present'
    await this.#copies.run(() => this.#stream(copy))
    return 'copied'
  }

  /** Layer by layer in constant memory; what breaks off goes on where the target stands, or starts anew. */
  async #stream(copy: Copy): Promise<void> {
    const { registry, path } = copy.to
    const label: RegistryRequest = { method: 'PUT', registry, path: `${path}/blobs/${copy.blob.digest}`, scopes: [] }
    let upload: Upload | undefined
    const answer = await this.#transport.retried(this.#transport.plainRequest(label), async () => {
      for (;;) {
        const current: Upload = upload ?? (await this.#begin(copy.to))
        upload = undefined
        try {
          const put = await this.#transport.attempt(this.#copyRequest(copy, current))
          // A registry that doesn't take the rest of an upload gets all of it.
          if (put.status >= 400 && put.status < 500 && put.status !== 429 && current.offset > 0) continue
          return put
        } catch (error) {
          if (!isPassingFailure(error)) throw error
          const there = await this.#head(copy.to, copy.blob.digest)
          if (isDone(there)) return there
          upload = await this.#standOf(copy.to, current)
          if (upload === undefined || upload.offset <= current.offset) throw error
        }
      }
    })
    if (!isDone(answer)) throw this.#statusError(label, answer)
  }

  #copyRequest({ blob, from, to }: Copy, upload: Upload): RegistryRequest {
    const body = { size: blob.size - upload.offset, open: () => this.#open(from, blob, upload.offset) }
    return closingPut(to, upload, blob, body.size === 0 ? undefined : body)
  }

  /** The bytes of a blob from an offset on. */
  async #open(from: RepositoryName, blob: Pick<Descriptor, 'digest' | 'size'>, offset: number) {
    const request: RegistryRequest = {
      ...blobRequest('GET', from, blob.digest, pullScope(from)),
      answer: 'stream',
      ...(offset === 0 ? {} : { headers: { range: `bytes=${offset}-` } }),
    }
    const answer = await this.#transport.send(request)
    if (answer.status === 404) throw blobGone(from, blob.digest)
    if (answer.stream === undefined) throw this.#statusError(request, answer)
    // A registry without ranges sends all of it.
    const part = { blob, offset, startsAt: answer.status === 206 ? offset : 0 }
    return checkedBlob(answer.stream, part, this.#transport.failed(this.#transport.plainRequest(request)))
  }

  async #begin(repository: RepositoryName): Promise<Upload> {
    const { registry, path } = repository
    const request: RegistryRequest = {
      method: 'POST',
      registry,
      path: `${path}/blobs/uploads/`,
      scopes: [pushScope(repository)],
    }
    const answer = await this.#transport.send(request)
    if (answer.status !== 202) throw this.#statusError(request, answer)
    const url = redirectTarget(answer.url, answer.headers.get('location') ?? '')
    if (typeof url === 'string') {
      throw contentError(this.#failed(request), answer.status, `was answered with an upload that ${url}`, answer.body)
    }
    return { url, offset: 0 }
  }

  /** How far an upload that broke off has come; undefined when the registry doesn't say, or has nothing. */
  async #standOf(repository: RepositoryName, upload: Upload): Promise<Upload | undefined> {
    const { registry } = repository
    const request: RegistryRequest = { method: 'GET', registry, path: upload.url, scopes: [pushScope(repository)] }
    try {
      const answer = await this.#transport.send(request)
      const [, last] = /^(?:bytes=)?0-(\d+)$/.exec(answer.headers.get('range') ?? '') ?? []
      // `0-0` is said of an empty upload, too.
      if (answer.status !== 204 || last === undefined || last === '0') return undefined
      const url = redirectTarget(answer.url, answer.headers.get('location') ?? upload.url.href)
      return typeof url === 'string' ? undefined : { url, offset: Number(last) + 1 }
    } catch (error) {
      // Not knowing costs a new upload, no more.
      if (error instanceof RegistryError) return undefined
      throw error
    }
  }

  async has(repository: RepositoryName, digest: Digest): Promise<boolean> {
    const answer = await this.#head(repository, digest)
    if (answer.status === 200) return true
    if (answer.status === 404) return false
    throw this.#statusError(blobRequest('HEAD', repository, digest, pushScope(repository)), answer)
  }

  async #head(repository: RepositoryName, digest: Digest): Promise<Answer> {
    return await this.#transport.send(blobRequest('HEAD', repository, digest, pushScope(repository)))
  }

  #failed(request: RegistryRequest) {
    return this.#transport.failed(this.#transport.plainRequest(request))
  }

  #statusError(request: RegistryRequest, answer: Answer): RegistryError {
    return statusError(this.#failed(request), answer.status, answer.body)
  }
}

/** The request for a blob, or for whether it is there. */
export function blobRequest(
  method: 'GET' | 'HEAD',
  { registry, path }: RepositoryName,
  digest: Digest,
  scope: string,
): RegistryRequest {
  return { method, registry, path: `${path}/blobs/${digest}`, scopes: [scope] }
}

/** The PUT that brings an upload's bytes, or the rest of them, and closes it. */
function closingPut(
  repository: RepositoryName,
  upload: Upload,
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  body: Uint8Array | StreamedBody | undefined,
): RegistryRequest {
  const url = new URL(upload.url)
  url.searchParams.set('digest', digest)
  const range = upload.offset === 0 ? {} : { 'content-range': `${upload.offset}-${size - 1}` }
  const headers = { ...BYTES, ...(body === undefined ? {} : range) }
  const base = { method: 'PUT', registry: repository.registry, path: url, scopes: [pushScope(repository)] } as const
  return { ...base, headers, ...(body === undefined ? {} : { body }) }
}

function isDone({ status }: Answer): boolean {
  return status === 200 || status === 201 || status === 202 || status === 204
}

function blobGone(from: RepositoryName, digest: Digest): ImageCacheError {
  return new ImageCacheError('E_REGISTRY', `a layer of ${formatRepository(from)} is gone: ${digest}`, {
    hint: 'Build the image again.',
  })
}
