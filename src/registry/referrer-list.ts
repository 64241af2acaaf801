import type { Digest } from '../base/digest.ts'
import { isJsonList, isJsonRecord, type JsonRecord, parseJson, textField } from '../base/json-value.ts'
import { OCI_INDEX, parseManifest } from './manifest.ts'
import { redirectTarget } from './redirect-target.ts'
import { formatRepository, type ImageReference, type RepositoryName } from './reference.ts'
import type { Descriptor, RawManifest, Registry } from './registry.ts'
import { contentError, statusError } from './registry-error.ts'
import { pullScope } from './registry-scope.ts'
import type { RegistryRequest, RegistryTransport } from './registry-transport.ts'

/** Answers of registries that know no referrers API; 404 by the spec, the others as seen. */
const NO_API: ReadonlySet<number> = new Set([400, 404, 405, 406, 501])
const MAX_PAGES = 50

/** Which manifests name another as their subject (distribution spec, "Listing Referrers", "Referrers Tag Schema"). */
export class ReferrerList {
  readonly #transport: RegistryTransport
  readonly #registry: Pick<Registry, 'manifest' | 'putManifest'>
  /** Lists are read, changed and written: one after another for each repository. */
  readonly #queues = new Map<string, Promise<unknown>>()

  constructor(transport: RegistryTransport, registry: Pick<Registry, 'manifest' | 'putManifest'>) {
    this.#transport = transport
    this.#registry = registry
  }

  async read(repository: RepositoryName, subject: Digest): Promise<readonly Descriptor[]> {
    const { registry, path } = repository
    const found: Descriptor[] = []
    let next: string | URL | undefined = `${path}/referrers/${subject}`
    for (let page = 0; next !== undefined && page < MAX_PAGES; page += 1) {
      const request: RegistryRequest = {
        method: 'GET',
        registry,
        path: next,
        scopes: [pullScope(repository)],
        headers: { accept: OCI_INDEX },
      }
      const failed = this.#transport.failed(this.#transport.plainRequest(request))
      const answer = await this.#transport.send(request)
      const isIndex = (answer.headers.get('content-type') ?? '').startsWith(OCI_INDEX)
      if (page === 0 && (NO_API.has(answer.status) || (answer.status === 200 && !isIndex))) {
        return await this.#readTag(repository, subject)
      }
      if (answer.status !== 200) throw statusError(failed, answer.status, answer.body)
      if (!isIndex) throw contentError(failed, 200, 'was answered with something that is no index', answer.body)
      found.push(...manifestsIn({ mediaType: OCI_INDEX, bytes: answer.body }))
      next = nextPage(answer.headers.get('link'), answer.url)
    }
    return found
  }

  /** Puts a manifest that has a subject into the list of its referrers, where the registry keeps none itself. */
  async announce(repository: RepositoryName, manifest: RawManifest): Promise<void> {
    const json = parseJson(manifest.bytes)
    const subject = isJsonRecord(json) && isJsonRecord(json.subject) ? textField(json.subject, 'digest') : undefined
    if (subject === undefined || !isJsonRecord(json)) return
    const tag = referrersTag(subject)
    const list: ImageReference = { registry: repository.registry, path: repository.path, tag }
    const name = `${formatRepository(repository)}:${tag}`
    const turn = (this.#queues.get(name) ?? Promise.resolve()).then(() => this.#add(list, manifest, json))
    this.#queues.set(
      name,
      turn.catch(() => undefined),
    )
    await turn
  }

  async #add(list: ImageReference, manifest: RawManifest, json: JsonRecord): Promise<void> {
    const old = await this.#registry.manifest(list)
    const listed = old === undefined ? [] : listedIn(old)
    // Something else under that tag is not ours to overwrite.
    if (listed === undefined || listed.some((entry) => isJsonRecord(entry) && entry.digest === manifest.digest)) return
    const config = isJsonRecord(json.config) ? textField(json.config, 'mediaType') : undefined
    const artifactType = (textField(json, 'artifactType') ?? '') || config
    const entry = {
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(isJsonRecord(json.annotations) ? { annotations: json.annotations } : {}),
    }
    const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...listed, entry] }
    await this.#registry.putManifest(list, { mediaType: OCI_INDEX, bytes: Buffer.from(JSON.stringify(index)) })
  }

  async #readTag(repository: RepositoryName, subject: Digest): Promise<readonly Descriptor[]> {
    const { registry, path } = repository
    const manifest = await this.#registry.manifest({ registry, path, tag: referrersTag(subject) })
    return manifest === undefined ? [] : manifestsIn(manifest)
  }
}

/** The tag that lists the referrers of a manifest where the registry has no API for it. */
export function referrersTag(subject: string): string {
  const [algorithm = '', encoded = ''] = subject.split(':')
  return `${algorithm.slice(0, 32)}-${encoded.slice(0, 64)}`.replace(/[^A-Za-z0-9._-]/g, '-')
}

function manifestsIn(raw: Pick<RawManifest, 'mediaType' | 'bytes'>): readonly Descriptor[] {
  const parsed = parseManifest(raw)
  return parsed.kind === 'index' ? parsed.manifests : []
}

function listedIn(raw: RawManifest): readonly unknown[] | undefined {
  const json = parseJson(raw.bytes)
  return isJsonRecord(json) && isJsonList(json.manifests) ? json.manifests : undefined
}

/** The address of a `Link` header with `rel="next"` (RFC 8288), on the same registry. */
function nextPage(link: string | null, from: URL): URL | undefined {
  const [, address] = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? '') ?? []
  if (address === undefined) return undefined
  const url = redirectTarget(from, address)
  return typeof url === 'string' || url.origin !== from.origin ? undefined : url
}
