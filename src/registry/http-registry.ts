import { createHash } from 'node:crypto'
import { type Digest, digestOf, isDigest } from '../base/digest.ts'
import { isJsonRecord, parseJson, textField } from '../base/json-value.ts'
import { BlobTransfer, blobRequest } from './blob-transfer.ts'
import { MANIFEST_MEDIA_TYPES } from './manifest.ts'
import type { ImageReference, RepositoryName } from './reference.ts'
import { ReferrerList } from './referrer-list.ts'
import type { BlobMove, Descriptor, MountOutcome, RawManifest, Registry } from './registry.ts'
import { contentError, looksLikeHtml, type RegistryError, registryOwnError, statusError } from './registry-error.ts'
import { pullScope, pushScope } from './registry-scope.ts'
import { type Answer, type HttpRegistryOptions, type RegistryRequest, RegistryTransport } from './registry-transport.ts'

/** Bytes that are asked for at once of a large blob. */
const CHUNK_BYTES = 16 * 1024 * 1024
const ACCEPT = MANIFEST_MEDIA_TYPES.join(', ')
const NEEDS_WORDS: ReadonlySet<number> = new Set([400, 405, 406, 500, 501])

/** A registry over HTTP, by the OCI distribution spec 1.1; https unless the host is loopback or plain http was asked for. */
export class HttpRegistry implements Registry {
  readonly #transport: RegistryTransport
  readonly #blobs: BlobTransfer
  readonly #referrers: ReferrerList

  constructor(options: HttpRegistryOptions = {}) {
    this.#transport = new RegistryTransport(options)
    this.#blobs = new BlobTransfer(this.#transport)
    this.#referrers = new ReferrerList(this.#transport, this)
  }

  async logIn(repository: RepositoryName): Promise<void> {
    await this.#transport.logIn(repository.registry, [pushScope(repository)]).catch(() => undefined)
  }

  async head(reference: ImageReference): Promise<Descriptor | undefined> {
    const request: RegistryRequest = { ...manifestRequest('HEAD', reference), isFinal: ({ status }) => status === 500 }
    const answer = await this.#transport.send(request)
    if (this.#isMissing(request, answer)) return undefined
    // The answer to a HEAD has no words: a GET tells what a refusal means, and some registries mean "no such repository".
    if (NEEDS_WORDS.has(answer.status)) return await this.#headByGet(reference)
    if (answer.status !== 200) throw this.#statusError(request, answer)

    const mediaType = mediaTypeOf(answer)
    const digest = answer.headers.get('docker-content-digest') ?? reference.digest ?? ''
    const size = Number(answer.headers.get('content-length') ?? Number.NaN)
    const complete = isDigest(digest) && Number.isSafeInteger(size) && mediaType.includes('json')
    // The headers are optional for a registry: the manifest itself tells.
    if (!complete) return await this.#headByGet(reference)
    if (reference.digest !== undefined && digest !== reference.digest) {
      throw this.#contentError(request, answer, `was answered with another digest, ${digest}`)
    }
    return { mediaType, digest, size }
  }

  async manifest(reference: ImageReference): Promise<RawManifest | undefined> {
    const request: RegistryRequest = {
      ...manifestRequest('GET', reference),
      isFinal: ({ status, body }) => status === 500 && saysNotFound(body),
    }
    const answer = await this.#transport.send(request)
    if (this.#isMissing(request, answer)) return undefined
    if (answer.status !== 200) throw this.#statusError(request, answer)
    const json = parseJson(answer.body)
    if (!isJsonRecord(json))
      throw this.#contentError(request, answer, 'was answered with something that is no manifest')
    const digest = digestOf(answer.body)
    const stated = reference.digest ?? answer.headers.get('docker-content-digest')
    if (stated !== null && isDigest(stated) && stated !== digest) {
      throw this.#contentError(request, answer, `was answered with bytes whose digest is ${digest}, not ${stated}`)
    }
    const outside = mediaTypeOf(answer)
    const inside = textField(json, 'mediaType') ?? outside
    if (!isKnown(outside)) return { mediaType: inside, digest, bytes: answer.body }
    // Two readers must not see two things in the same bytes (distribution spec, "Pulling manifests").
    if (inside !== outside)
      throw this.#contentError(request, answer, `is called ${outside}, but says of itself ${inside}`)
    return { mediaType: outside, digest, bytes: answer.body }
  }

  async putManifest(reference: ImageReference, manifest: Pick<RawManifest, 'mediaType' | 'bytes'>): Promise<Digest> {
    const digest = digestOf(manifest.bytes)
    if (reference.digest !== undefined && reference.digest !== digest) {
      throw new RangeError(`the manifest has the digest ${digest}, not ${reference.digest}`)
    }
    const request: RegistryRequest = {
      method: 'PUT',
      registry: reference.registry,
      path: `${reference.path}/manifests/${reference.tag ?? digest}`,
      scopes: [pushScope(reference)],
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
    }
    const answer = await this.#transport.send(request)
    if (answer.status !== 201 && answer.status !== 200) throw this.#statusError(request, answer)
    const stored = answer.headers.get('docker-content-digest')
    if (stored !== null && stored !== digest) {
      throw this.#contentError(request, answer, `stored another digest, ${stored}, than the one sent, ${digest}`)
    }
    // A registry with a referrers API says that it has seen the subject; for another the client keeps the list.
    if (!answer.headers.has('oci-subject')) await this.#referrers.announce(reference, { ...manifest, digest })
    return digest
  }

  async blob(repository: RepositoryName, digest: Digest): Promise<Uint8Array | undefined> {
    const request = blobRequest('GET', repository, digest, pullScope(repository))
    const answer = await this.#transport.send(request)
    if (this.#isMissing(request, answer)) return undefined
    if (answer.status !== 200) throw this.#statusError(request, answer)
    const got = digestOf(answer.body)
    if (got !== digest) throw this.#contentError(request, answer, `was answered with bytes whose digest is ${got}`)
    return answer.body
  }

  /** In ranges, each of which is tried again by itself; at most one is in memory (RFC 9110, section 14). */
  async *blobChunks(repository: RepositoryName, digest: Digest, size: number): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256')
    for (let start = 0; start < size; start += CHUNK_BYTES) {
      const end = Math.min(start + CHUNK_BYTES, size) - 1
      const range = start === 0 && end === size - 1 ? {} : { range: `bytes=${start}-${end}` }
      const request = { ...blobRequest('GET', repository, digest, pullScope(repository)), headers: range }
      const answer = await this.#transport.send(request)
      if (answer.status !== 200 && answer.status !== 206) throw this.#statusError(request, answer)
      // A registry that knows no ranges answers with the whole.
      const chunk = answer.status === 200 ? answer.body.subarray(start, end + 1) : answer.body
      if (chunk.length !== end - start + 1)
        throw this.#contentError(request, answer, 'was answered with another length')
      hash.update(chunk)
      yield chunk
    }
    const got = `sha256:${hash.digest('hex')}`
    if (got === digest) return
    const request = blobRequest('GET', repository, digest, pullScope(repository))
    const from = this.#transport.failed(this.#transport.plainRequest(request))
    throw contentError(from, 200, `was answered with bytes whose digest is ${got}`, new Uint8Array())
  }

  async putBlob(repository: RepositoryName, bytes: Uint8Array): Promise<Digest> {
    return await this.#blobs.put(repository, bytes)
  }

  async mountBlob(repository: RepositoryName, digest: Digest, from: RepositoryName): Promise<MountOutcome> {
    return await this.#blobs.mount(repository, digest, from)
  }

  async hasBlob(repository: RepositoryName, digest: Digest): Promise<boolean> {
    return await this.#blobs.has(repository, digest)
  }

  async copyBlob(
    repository: RepositoryName,
    blob: Pick<Descriptor, 'digest' | 'size'>,
    from: RepositoryName,
  ): Promise<BlobMove> {
    return await this.#blobs.copy({ blob, from, to: repository })
  }

  async referrers(repository: RepositoryName, subject: Digest): Promise<readonly Descriptor[]> {
    return await this.#referrers.read(repository, subject)
  }

  async #headByGet(reference: ImageReference): Promise<Descriptor | undefined> {
    const manifest = await this.manifest(reference)
    return manifest && { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length }
  }

  /**
   * Whether the answer says that there is no such thing, be it the tag, the repository, or one that we may not see.
   * @throws RegistryError when the 404 is a web site's, which says nothing about images
   */
  #isMissing(request: RegistryRequest, answer: Answer): boolean {
    if (answer.status === 500) return saysNotFound(answer.body)
    if (answer.status !== 404) return false
    const isPage = mediaTypeOf(answer) === 'text/html' || looksLikeHtml(answer.body)
    if (isPage) throw this.#statusError(request, { ...answer, body: Buffer.from('<html>') })
    return true
  }

  #statusError(request: RegistryRequest, answer: Answer): RegistryError {
    return statusError(this.#transport.failed(this.#transport.plainRequest(request)), answer.status, answer.body)
  }

  #contentError(request: RegistryRequest, answer: Answer, problem: string): RegistryError {
    const failed = this.#transport.failed(this.#transport.plainRequest(request))
    return contentError(failed, answer.status, problem, answer.body)
  }
}

function manifestRequest(method: 'GET' | 'HEAD', reference: ImageReference): RegistryRequest {
  const { registry, path, tag, digest } = reference
  const target = digest ?? tag
  if (target === undefined) throw new RangeError(`neither tag nor digest: ${registry}/${path}`)
  return {
    method,
    registry,
    path: `${path}/manifests/${target}`,
    scopes: [pullScope(reference)],
    headers: { accept: ACCEPT },
  }
}

/** Harbor answers 500 for a repository that isn't there yet (goharbor/harbor issue 11744, flyteorg/flytekit pull 2696). */
function saysNotFound(body: Uint8Array): boolean {
  const own = registryOwnError(body)
  if (own === undefined) return false
  return (
    /^(?:NOT_FOUND|NAME_UNKNOWN|MANIFEST_UNKNOWN)$/.test(own.code) ||
    /^(?:repository|artifact)\b.* not found$/.test(own.message)
  )
}

function mediaTypeOf(answer: Answer): string {
  return (answer.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
}

function isKnown(mediaType: string): boolean {
  return MANIFEST_MEDIA_TYPES.some((type) => type === mediaType)
}
