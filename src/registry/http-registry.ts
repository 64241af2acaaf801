import { type Digest, digestOf, isDigest } from '../base/digest.ts'
import { isJsonRecord, parseJson, textField } from './json-value.ts'
import { MANIFEST_MEDIA_TYPES } from './manifest.ts'
import { redirectTarget } from './redirect-target.ts'
import type { ImageReference, RepositoryName } from './reference.ts'
import type { Descriptor, MountOutcome, RawManifest, Registry } from './registry.ts'
import { contentError, RegistryError, statusError } from './registry-error.ts'
import { type Answer, type HttpRegistryOptions, type RegistryRequest, RegistryTransport } from './registry-transport.ts'

const ACCEPT = MANIFEST_MEDIA_TYPES.join(', ')

/** A registry over HTTP, by the OCI distribution spec 1.1; https unless the host is loopback or plain http was asked for. */
export class HttpRegistry implements Registry {
  readonly #transport: RegistryTransport

  constructor(options: HttpRegistryOptions = {}) {
    this.#transport = new RegistryTransport(options)
  }

  async head(reference: ImageReference): Promise<Descriptor | undefined> {
    const request = manifestRequest('HEAD', reference)
    const answer = await this.#transport.send(request)
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw this.#statusError(request, answer)
    const mediaType = mediaTypeOf(answer)
    const digest = answer.headers.get('docker-content-digest') ?? reference.digest ?? ''
    const size = Number(answer.headers.get('content-length') ?? Number.NaN)
    const complete = isDigest(digest) && Number.isSafeInteger(size) && mediaType.includes('json')
    if (!complete) {
      // The headers are optional for a registry: the manifest itself tells.
      const manifest = await this.manifest(reference)
      return manifest && { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length }
    }
    if (reference.digest !== undefined && digest !== reference.digest) {
      throw this.#contentError(request, answer, `was answered with another digest, ${digest}`)
    }
    return { mediaType, digest, size }
  }

  async manifest(reference: ImageReference): Promise<RawManifest | undefined> {
    const request = manifestRequest('GET', reference)
    const answer = await this.#transport.send(request)
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw this.#statusError(request, answer)
    const json = parseJson(answer.body)
    if (!isJsonRecord(json))
      throw this.#contentError(request, answer, 'was answered with something that is no manifest')
    const digest = digestOf(answer.body)
    const stated = reference.digest ?? answer.headers.get('docker-content-digest')
    if (stated !== null && isDigest(stated) && stated !== digest) {
      throw this.#contentError(request, answer, `was answered with bytes whose digest is ${digest}, not ${stated}`)
    }
    const inside = textField(json, 'mediaType')
    const known = MANIFEST_MEDIA_TYPES.some((type) => type === mediaTypeOf(answer))
    return { mediaType: known ? mediaTypeOf(answer) : (inside ?? mediaTypeOf(answer)), digest, bytes: answer.body }
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
    return digest
  }

  async blob(repository: RepositoryName, digest: Digest): Promise<Uint8Array | undefined> {
    const request = blobRequest('GET', repository, digest, pullScope(repository))
    const answer = await this.#transport.send(request)
    if (answer.status === 404) return undefined
    if (answer.status !== 200) throw this.#statusError(request, answer)
    const got = digestOf(answer.body)
    if (got !== digest) throw this.#contentError(request, answer, `was answered with bytes whose digest is ${got}`)
    return answer.body
  }

  async putBlob(repository: RepositoryName, bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes)
    for (let round = 1; ; round += 1) {
      if (await this.#hasBlob(repository, digest)) return digest
      const { request, answer } = await this.#upload(repository, digest, bytes)
      if (answer.status === 201 || answer.status === 204) return digest
      // A first PUT whose answer was lost has closed its upload: look again before starting a new one.
      if (answer.status !== 404 || round > 1) throw this.#statusError(request, answer)
    }
  }

  async mountBlob(repository: RepositoryName, digest: Digest, from: RepositoryName): Promise<MountOutcome> {
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
      if (answer.status === 202 || answer.status === 405) return 'refused'
      throw this.#statusError(request, answer)
    } catch (error) {
      // Who may push here need not be allowed to read there: copying will tell.
      if (error instanceof RegistryError && error.code === 'E_REGISTRY_AUTH') return 'refused'
      throw error
    }
  }

  async #hasBlob(repository: RepositoryName, digest: Digest): Promise<boolean> {
    const request = blobRequest('HEAD', repository, digest, pushScope(repository))
    const answer = await this.#transport.send(request)
    if (answer.status === 200) return true
    if (answer.status === 404) return false
    throw this.#statusError(request, answer)
  }

  /** Two requests, "POST then PUT" (distribution spec, "Pushing a blob monolithically"). */
  async #upload(
    repository: RepositoryName,
    digest: Digest,
    bytes: Uint8Array,
  ): Promise<{ readonly request: RegistryRequest; readonly answer: Answer }> {
    const { registry, path } = repository
    const scopes = [pushScope(repository)]
    const start: RegistryRequest = { method: 'POST', registry, path: `${path}/blobs/uploads/`, scopes }
    const started = await this.#transport.send(start)
    if (started.status !== 202) throw this.#statusError(start, started)
    const url = redirectTarget(started.url, started.headers.get('location') ?? '')
    if (typeof url === 'string') throw this.#contentError(start, started, `was answered with an upload that ${url}`)
    url.searchParams.set('digest', digest)
    const headers = { 'content-type': 'application/octet-stream' }
    const request: RegistryRequest = { method: 'PUT', registry, path: url, scopes, headers, body: bytes }
    return { request, answer: await this.#transport.send(request) }
  }

  #statusError(request: RegistryRequest, answer: Answer): RegistryError {
    return statusError(this.#transport.failed(this.#transport.plainRequest(request)), answer.status, answer.body)
  }

  #contentError(request: RegistryRequest, answer: Answer, problem: string): RegistryError {
    return contentError(
      this.#transport.failed(this.#transport.plainRequest(request)),
      answer.status,
      problem,
      answer.body,
    )
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

function blobRequest(
  method: 'GET' | 'HEAD',
  { registry, path }: RepositoryName,
  digest: Digest,
  scope: string,
): RegistryRequest {
  return { method, registry, path: `${path}/blobs/${digest}`, scopes: [scope] }
}

function pullScope({ path }: RepositoryName): string {
  return `repository:${path}:pull`
}

function pushScope({ path }: RepositoryName): string {
  return `repository:${path}:pull,push`
}

function mediaTypeOf(answer: Answer): string {
  return (answer.headers.get('content-type') ?? '').split(';')[0]?.trim() ?? ''
}
