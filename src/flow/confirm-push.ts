import { type Digest, isDigest } from '../base/digest.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import { parseManifest } from '../registry/manifest.ts'
import { isAttestation } from '../registry/platform.ts'
import { formatReference, type ImageReference, parseReference, withDigest } from '../registry/reference.ts'
import type { Descriptor, RawManifest, Registry } from '../registry/registry.ts'

/**
 * What the registry says of an image that was just pushed. `unknown`: it can't be asked from here; the builder's word
 * counts then.
 */
export type PushedImage =
  | {
      readonly kind: 'there'
      readonly manifest: RawManifest
      /** Layers of all its platforms, each once. */
      readonly layers: readonly Descriptor[]
      /** The last layer of each platform. */
      readonly tops: readonly Digest[]
    }
  | { readonly kind: 'missing'; readonly what: string }
  | { readonly kind: 'unknown'; readonly reason: string }

/**
 * Reads a pushed image back by its digest, and every manifest that its index names: a registry that answered 201 may
 * still not have it.
 */
export async function readBack(registry: Registry, image: ImageReference, digest: string): Promise<PushedImage> {
  if (!isDigest(digest)) return { kind: 'unknown', reason: 'the builder named no digest' }
  try {
    const manifest = await registry.manifest(withDigest({ registry: image.registry, path: image.path }, digest))
    if (manifest === undefined) return { kind: 'missing', what: `${formatReference(image)}@${digest}` }
    const parsed = parseManifest(manifest)
    if (parsed.kind === 'image') return there(manifest, [parsed.layers])
    const children = await Promise.all(
      parsed.manifests.map(async (entry) => {
        const child = withDigest({ registry: image.registry, path: image.path }, entry.digest)
        if (isAttestation(entry)) return { entry, layers: [], isThere: (await registry.head(child)) !== undefined }
        const raw = await registry.manifest(child)
        const content = raw === undefined ? undefined : parseManifest(raw)
        return { entry, layers: content?.kind === 'image' ? content.layers : [], isThere: raw !== undefined }
      }),
    )
    const gone = children.find(({ isThere }) => !isThere)
    if (gone !== undefined) return { kind: 'missing', what: `${gone.entry.digest}, which the index names` }
    return there(
      manifest,
      children.map(({ layers }) => layers),
    )
  } catch (error) {
    if (error instanceof ImageCacheError && error.code === 'E_CANCELLED') throw error
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

function there(manifest: RawManifest, platforms: readonly (readonly Descriptor[])[]): PushedImage {
  const layers = new Map(platforms.flat().map((layer) => [layer.digest, layer]))
  const tops = platforms.flatMap((list) => list.slice(-1).map(({ digest }) => digest))
  return { kind: 'there', manifest, layers: [...layers.values()], tops: [...new Set(tops)] }
}

/** The same by a name as text; a build that pushed nothing has none. */
export async function lookUp(
  name: string | undefined,
  digest: string | undefined,
  registry: Registry,
): Promise<PushedImage> {
  const reference = parseReference(name ?? '')
  if (typeof reference === 'string') return { kind: 'unknown', reason: reference }
  return await readBack(registry, reference, digest ?? '')
}
