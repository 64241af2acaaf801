import { createHash } from 'node:crypto'
import { ServiceError } from './service-error.ts'

export const layerMediaType = 'application/vnd.oci.image.layer.v1.tar+zstd'
const configMediaType = 'application/vnd.oci.image.config.v1+json'
const manifestMediaType = 'application/vnd.oci.image.manifest.v1+json'

export interface LayerBlob {
  readonly digest: string
  readonly size: number
  /** Digest of the uncompressed tar. */
  readonly diffId: string
  /** The blob in pieces, read only when the registry hasn't got it. */
  readonly read: () => Promise<readonly Buffer[]>
}

export interface ImageToPush {
  readonly repository: string
  /** A repository that may have some of the layers already. */
  readonly mountFrom?: string
  readonly tags: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cmd: readonly string[]
  /** What the history says of the lowest layer. */
  readonly madeBy: string
  readonly layers: readonly LayerBlob[]
}

/** Pushes an image to a registry that speaks plain HTTP and asks for no login; answers the manifest's digest. */
export async function pushImage(registry: string, image: ImageToPush): Promise<string> {
  const repository = `http://${registry}/v2/${image.repository}`
  const config = Buffer.from(JSON.stringify(imageConfig(image)))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestMediaType,
      config: { mediaType: configMediaType, digest: sha256(config), size: config.length },
      layers: image.layers.map(({ digest, size }) => ({ mediaType: layerMediaType, digest, size })),
    }),
  )
  const digest = sha256(manifest)
  if (!(await exists(`${repository}/manifests/${digest}`))) {
    const blobs = [...image.layers, { digest: sha256(config), read: () => Promise.resolve([config]) }]
    await Promise.all(blobs.map(({ digest, read }) => pushBlob(repository, digest, read, image.mountFrom)))
  }
  for (const tag of image.tags) {
    const headers = { 'content-type': manifestMediaType }
    await expectOk(
      await fetch(`${repository}/manifests/${tag}`, { method: 'PUT', headers, body: manifest }),
      'manifest',
    )
  }
  return digest
}

function imageConfig(image: ImageToPush): object {
  const created = '1970-01-01T00:00:00Z'
  return {
    created,
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Env: Object.entries(image.env).map(([name, value]) => `${name}=${value}`), Cmd: image.cmd },
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
    history: image.layers.map((_, index) => ({ created, created_by: index === 0 ? image.madeBy : 'tools/services' })),
  }
}

async function pushBlob(
  repository: string,
  digest: string,
  read: LayerBlob['read'],
  mountFrom: string | undefined,
): Promise<void> {
  if (await exists(`${repository}/blobs/${digest}`)) return
  const mount = mountFrom === undefined ? '' : `?mount=${digest}&from=${mountFrom}`
  const begun = await expectOk(await fetch(`${repository}/blobs/uploads/${mount}`, { method: 'POST' }), 'upload')
  if (begun.status === 201) return
  const upload = new URL(begun.headers.get('location') ?? '', repository)
  upload.searchParams.set('digest', digest)
  const headers = { 'content-type': 'application/octet-stream' }
  const body = Buffer.concat(await read())
  await expectOk(await fetch(upload, { method: 'PUT', headers, body }), 'blob')
}

async function exists(address: string): Promise<boolean> {
  return (await fetch(address, { method: 'HEAD', headers: { accept: manifestMediaType } })).ok
}

async function expectOk(response: Response, what: string): Promise<Response> {
  const text = await response.text()
  if (response.ok) return response
  throw new ServiceError(`The registry refused a ${what} with status ${response.status}: ${text.trim()}`)
}

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}
