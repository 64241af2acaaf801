import { ImageCacheError } from '../base/errors.ts'
import { type RepositoryName, sameRepository } from '../registry/reference.ts'
import type { BlobMove, Registry } from '../registry/registry.ts'
import { RegistryError } from '../registry/registry-error.ts'
import type { KeptLayer } from './kept-layer.ts'

/** A layer and the repositories that should have it. */
export interface LayerSource {
  readonly layer: KeptLayer
  readonly from: readonly RepositoryName[]
}

export interface PlacedLayers {
  readonly mounted: number
  readonly copiedBytes: number
  /** Layers that no repository has any more. */
  readonly gone: readonly KeptLayer[]
}

/**
 * Brings layers into a repository: those that are said to be there are believed, others are mounted from a repository of
 * the same registry without moving bytes, or streamed from one to the other.
 * @param verify asks for those that are said to be there, too
 * @throws ImageCacheError E_REGISTRY when the registry fails
 */
export async function placeLayers(
  registry: Registry,
  to: RepositoryName,
  sources: readonly LayerSource[],
  verify: boolean,
): Promise<PlacedLayers> {
  const unique = [...new Map(sources.map((source) => [source.layer.digest, source])).values()]
  const placed = await Promise.all(unique.map((source) => placeLayer(registry, to, source, verify)))
  return {
    mounted: placed.filter((outcome) => outcome === 'mounted').length,
    copiedBytes: unique.reduce((sum, { layer }, at) => sum + (placed[at] === 'copied' ? layer.size : 0), 0),
    gone: unique.flatMap(({ layer }, at) => (placed[at] === 'gone' ? [layer] : [])),
  }
}

type Placed = 'there' | 'mounted' | 'copied' | 'gone'

async function placeLayer(
  registry: Registry,
  to: RepositoryName,
  { layer, from }: LayerSource,
  verify: boolean,
): Promise<Placed> {
  const isHere = from.some((repository) => sameRepository(repository, to))
  if (isHere && !verify) return 'there'
  if (isHere && (await registry.hasBlob(to, layer.digest))) return 'there'
  const others = from.filter((repository) => !sameRepository(repository, to))
  for (const [index, other] of others.entries()) {
    // Of several repositories on one registry any may be mounted from; only then are bytes worth moving.
    const isLast = index === others.length - 1
    if (!isLast && (await registry.mountBlob(to, layer.digest, other)) === 'mounted') return 'mounted'
  }
  for (const other of others.toReversed()) {
    const moved = await copied(registry, layer, other, to)
    if (moved !== undefined) return moved === 'present' ? 'there' : moved
  }
  return 'gone'
}

/** Undefined where the repository has no such layer. */
async function copied(
  registry: Registry,
  layer: KeptLayer,
  from: RepositoryName,
  to: RepositoryName,
): Promise<BlobMove | undefined> {
  try {
    return await registry.copyBlob(to, layer, from)
  } catch (error) {
    // The registry itself answered well: its own errors are of another kind.
    if (error instanceof ImageCacheError && !(error instanceof RegistryError)) return undefined
    throw error
  }
}
