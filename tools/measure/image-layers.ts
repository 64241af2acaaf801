import { ImageCacheError } from '../../src/base/errors.ts'

const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/**
 * Digests of an image's layers, bottom first, as the registry has them.
 * @param registry `127.0.0.1:PORT`, plain HTTP
 * @param name `path:tag`
 */
export async function imageLayers(registry: string, name: string): Promise<readonly string[]> {
  const [path, tag] = name.split(':')
  const manifest = await getManifest(registry, path ?? '', tag ?? 'latest')
  const [image] = list(manifest, 'manifests').filter((one) => !isAttestation(one))
  const layersOf = image === undefined ? manifest : await getManifest(registry, path ?? '', digestOf(image))
  return list(layersOf, 'layers').map(digestOf)
}

/** How many layers of an image, those of its base aside, are new and how many the image before had already. */
export function countLayers(
  image: readonly string[],
  base: readonly string[],
  before: readonly string[],
): { readonly built: number; readonly reused: number } {
  const own = image.filter((digest) => !base.includes(digest))
  const reused = own.filter((digest) => before.includes(digest)).length
  return { built: own.length - reused, reused }
}

async function getManifest(registry: string, path: string, reference: string): Promise<unknown> {
  const address = `http://${registry}/v2/${path}/manifests/${reference}`
  const response = await fetch(address, { headers: { accept: MANIFESTS } })
  if (!response.ok) {
    throw new ImageCacheError('E_REGISTRY', `the registry answered ${response.status} for ${path}:${reference}`)
  }
  return await response.json()
}

function list(value: unknown, name: 'manifests' | 'layers'): readonly unknown[] {
  const entry = typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name) : []
  return Array.isArray(entry?.[1]) ? entry[1] : []
}

function digestOf(descriptor: unknown): string {
  const digest =
    typeof descriptor === 'object' && descriptor !== null && 'digest' in descriptor ? descriptor.digest : undefined
  return typeof digest === 'string' ? digest : ''
}

/** BuildKit puts attestations beside the image, as of an unknown platform. */
function isAttestation(descriptor: unknown): boolean {
  return JSON.stringify(descriptor).includes('"attestation-manifest"')
}
