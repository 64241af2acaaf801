import { type Digest, hexOf } from '../base/digest.ts'
import { messageOf } from '../base/errors.ts'
import { OCI_MANIFEST } from '../registry/manifest.ts'
import type { Platform } from '../registry/platform.ts'
import type { RepositoryName } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { KeptLayer } from './kept-layer.ts'
import { layerManifest, readLayerManifest } from './layer-manifest.ts'

/** Whether a repository keeps a layer. `unknown`: it could not be asked. */
export type LayerFinding =
  | { readonly kind: 'found'; readonly layer: KeptLayer }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown'; readonly reason: string }

/** The tag that keeps a group's layer, made of its key. */
export function groupTag(key: Digest): string {
  return `group-${hexOf(key)}`
}

/** Asks a repository for a group's layer, in one request. Never throws. */
export async function findGroup(registry: Registry, repository: RepositoryName, key: Digest): Promise<LayerFinding> {
  try {
    const raw = await registry.manifest({ ...repository, tag: groupTag(key) })
    const layer = raw && readLayerManifest(raw)
    return layer === undefined ? { kind: 'missing' } : { kind: 'found', layer }
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

/** Whether a remembered layer is still there, in one request. Never throws. */
export async function confirmLayer(
  registry: Registry,
  repository: RepositoryName,
  layer: KeptLayer,
): Promise<LayerFinding> {
  try {
    return (await registry.hasBlob(repository, layer.digest)) ? { kind: 'found', layer } : { kind: 'missing' }
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

/**
 * Puts the tag by which the next build finds a group's layer, once the layer is in the repository.
 * @returns why it could not be put; the image doesn't need it
 */
export async function keepGroup(
  registry: Registry,
  repository: RepositoryName,
  key: Digest,
  group: { readonly layer: KeptLayer; readonly platform: Platform; readonly createdBy: string },
): Promise<string | undefined> {
  try {
    const { config, manifest } = layerManifest(group.layer, group.platform, group.createdBy)
    await registry.putBlob(repository, config)
    await registry.putManifest({ ...repository, tag: groupTag(key) }, { mediaType: OCI_MANIFEST, bytes: manifest })
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}
