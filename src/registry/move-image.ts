import type { Digest } from '../base/digest.ts'
import { isForeign, parseManifest } from './manifest.ts'
import { type RepositoryName, sameRepository } from './reference.ts'
import type { Descriptor, RawManifest, Registry } from './registry.ts'

/** How an image's parts came into another repository. */
export interface Moved {
  /** Blobs that were taken over within the registry, sent, and there already. */
  readonly mounted: number
  readonly copied: number
  readonly present: number
  /** Of what was sent. */
  readonly copiedBytes: number
}

export const NOTHING_MOVED: Moved = { mounted: 0, copied: 0, present: 0, copiedBytes: 0 }

/** The way from one repository to another, here or on another registry. */
export interface Route {
  readonly registry: Registry
  readonly from: RepositoryName
  readonly to: RepositoryName
}

/** What an image consists of, beside how its parts came along. */
export interface MovedImage extends Moved {
  /** Of the image's own manifest and of all that its index lists. */
  readonly manifests: readonly Digest[]
}

/**
 * Brings all that a manifest needs into another repository: blobs, and the manifests that an index lists, attestations
 * too. The manifest itself is put by the caller, last, so that no name ever leads to half an image.
 * @throws ImageCacheError E_REGISTRY or E_REGISTRY_AUTH
 */
export async function moveImage(route: Route, manifest: RawManifest): Promise<MovedImage> {
  const { registry, from, to } = route
  if (sameRepository(from, to)) return { ...NOTHING_MOVED, manifests: [] }
  const parsed = parseManifest(manifest)
  if (parsed.kind === 'image') {
    const moved = await moveBlobs(route, [parsed.config, ...parsed.layers])
    return { ...moved, manifests: [manifest.digest] }
  }
  const children = await Promise.all(
    parsed.manifests.map(async ({ digest }): Promise<MovedImage> => {
      const child = await registry.manifest({ registry: from.registry, path: from.path, digest })
      // An index may list what its repository doesn't hold; the registry decides whether it takes such an index.
      if (child === undefined) return { ...NOTHING_MOVED, manifests: [] }
      const moved = await moveImage(route, child)
      await registry.putManifest({ registry: to.registry, path: to.path, digest }, child)
      return moved
    }),
  )
  return { ...sum(children), manifests: [manifest.digest, ...children.flatMap((child) => child.manifests)] }
}

/** Adds up what was moved on several ways. */
export function sum(moved: readonly Moved[]): Moved {
  const total = (field: keyof Moved) => moved.reduce((all, one) => all + one[field], 0)
  return {
    mounted: total('mounted'),
    copied: total('copied'),
    present: total('present'),
    copiedBytes: total('copiedBytes'),
  }
}

async function moveBlobs({ registry, from, to }: Route, blobs: readonly Descriptor[]): Promise<Moved> {
  const unique = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()].filter((blob) => !isForeign(blob))
  const moves = await Promise.all(unique.map(async (blob) => ({ blob, move: await registry.copyBlob(to, blob, from) })))
  const count = (kind: string) => moves.filter(({ move }) => move === kind).length
  return {
    mounted: count('mounted'),
    copied: count('copied'),
    present: count('present'),
    copiedBytes: moves.reduce((bytes, { blob, move }) => bytes + (move === 'copied' ? blob.size : 0), 0),
  }
}
