import { isDigest } from '../../src/base/digest.ts'

/** A layer with the instruction that made it. */
export interface OciLayer {
  readonly digest: string
  /** Compressed bytes. */
  readonly size: number
  readonly mediaType: string
  readonly createdBy: string
}

export interface OciImage {
  /** Digest under the tag: the image's, or that of an index. */
  readonly digest: string
  readonly configDigest: string
  readonly env: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly layers: readonly OciLayer[]
}

const ACCEPT = ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json'].join(', ')

interface Platform {
  readonly os: string
  readonly architecture: string
}

interface Manifest {
  readonly manifests?: readonly { readonly digest: string; readonly platform?: Platform }[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly mediaType: string }[]
}

interface Config {
  readonly config?: { readonly Env?: readonly string[]; readonly Labels?: Readonly<Record<string, string>> }
  readonly history: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[]
}

/**
 * Reads an image from a registry by plain requests, so that tests don't judge our registry client by itself. Of an
 * index the one real platform is taken.
 * @param repository `host:port/path`
 * @param name tag or digest
 * @throws Error when it is not there
 */
export async function readImage(repository: string, name: string): Promise<OciImage> {
  const top = await getManifest(repository, name)
  const child = top.json.manifests?.find(({ platform }) => platform !== undefined && platform.os !== 'unknown')
  const image = child === undefined ? top : await getManifest(repository, child.digest)
  const config: Config = await getJson(repository, `blobs/${image.json.config.digest}`)
  const made = config.history.filter((entry) => entry.empty_layer !== true)
  return {
    digest: top.digest,
    configDigest: image.json.config.digest,
    env: config.config?.Env ?? [],
    labels: config.config?.Labels ?? {},
    layers: image.json.layers.map((layer, at) => ({ ...layer, createdBy: made[at]?.created_by ?? '' })),
  }
}

/**
 * What the image of one platform says of itself: its configuration's `config`, and its manifest's annotations.
 * @param platform such as `linux/amd64`
 */
export async function readConfig(
  repository: string,
  tag: string,
  platform: string,
): Promise<{ readonly config: unknown; readonly annotations: unknown }> {
  const top = await getManifest(repository, tag)
  const child = top.json.manifests?.find(
    (entry) => `${entry.platform?.os}/${entry.platform?.architecture}` === platform,
  )
  const { json } = child === undefined ? top : await getManifest(repository, child.digest)
  const said: Config = await getJson(repository, `blobs/${json.config.digest}`)
  return { config: said.config, annotations: json.annotations ?? {} }
}

/** Digest under a tag; undefined when there is none. */
export async function digestOfTag(repository: string, tag: string): Promise<string | undefined> {
  const [host, path] = splitRepository(repository)
  const response = await fetch(`http://${host}/v2/${path}/manifests/${tag}`, {
    method: 'HEAD',
    headers: { accept: ACCEPT },
  })
  return response.ok ? (response.headers.get('docker-content-digest') ?? undefined) : undefined
}

/** Removes an image as a registry's clean-up would, with all tags that point to it. */
export async function removeImage(repository: string, digest: string): Promise<void> {
  if (!isDigest(digest)) throw new Error(`${digest} is no digest`)
  const [host, path] = splitRepository(repository)
  const response = await fetch(`http://${host}/v2/${path}/manifests/${digest}`, { method: 'DELETE' })
  if (response.status !== 202) throw new Error(`${digest} was not removed: ${response.status}`)
}

/** Removes a layer from a repository whose manifests still name it. */
export async function removeBlob(repository: string, digest: string): Promise<void> {
  if (!isDigest(digest)) throw new Error(`${digest} is no digest`)
  const [host, path] = splitRepository(repository)
  const response = await fetch(`http://${host}/v2/${path}/blobs/${digest}`, { method: 'DELETE' })
  if (response.status !== 202) throw new Error(`${digest} was not removed: ${response.status}`)
}

/** Layers of dependencies in the linked form, bottom first. */
export function dependencyLayers(image: OciImage): readonly OciLayer[] {
  return image.layers.filter(({ createdBy }) =>
    /^COPY (?:--chown=\S+ )?\/layer\/|# image-cache: layer \d+ of \d+$/.test(createdBy),
  )
}

/** The tags of a repository. */
export async function tagsOf(repository: string): Promise<readonly string[]> {
  const { tags }: { tags: readonly string[] } = await getJson(repository, 'tags/list')
  return tags
}

async function getManifest(repository: string, name: string): Promise<{ digest: string; json: Manifest }> {
  const response = await get(repository, `manifests/${name}`)
  return { digest: response.headers.get('docker-content-digest') ?? '', json: JSON.parse(await response.text()) }
}

async function getJson<Json>(repository: string, path: string): Promise<Json> {
  return JSON.parse(await (await get(repository, path)).text())
}

async function get(repository: string, path: string): Promise<Response> {
  const [host, name] = splitRepository(repository)
  const response = await fetch(`http://${host}/v2/${name}/${path}`, { headers: { accept: ACCEPT } })
  if (!response.ok) throw new Error(`${repository} ${path} was answered ${response.status}`)
  return response
}

function splitRepository(repository: string): [host: string, path: string] {
  const at = repository.indexOf('/')
  return [repository.slice(0, at), repository.slice(at + 1)]
}
