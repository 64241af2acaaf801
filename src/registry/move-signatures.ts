import { type Digest, hexOf } from '../base/digest.ts'
import { type Moved, moveImage, NOTHING_MOVED, type Route, sum } from './move-image.ts'

/** Tags that cosign keeps beside an image (sigstore/cosign, specs/SIGNATURE_SPEC.md and its forms for the other two). */
const COSIGN_KINDS = ['sig', 'att', 'sbom'] as const
/** A signature of an attestation of a signature is deep enough. */
const MAX_DEPTH = 3

export interface MovedSignatures extends Moved {
  /** Manifests that came along: signatures, attestations, SBOMs. */
  readonly signatures: number
}

/**
 * Brings what is said of manifests along with them: all that names one of them as its subject, and cosign's tags.
 * @param subjects digests of an image and of all that its index lists
 * @throws ImageCacheError E_REGISTRY or E_REGISTRY_AUTH
 */
export async function moveSignatures(route: Route, subjects: readonly Digest[]): Promise<MovedSignatures> {
  return await moveAll(route, subjects, new Set(subjects), 1)
}

async function moveAll(
  route: Route,
  subjects: readonly Digest[],
  seen: Set<Digest>,
  depth: number,
): Promise<MovedSignatures> {
  const moves = await Promise.all(
    subjects.flatMap((subject) => [
      moveReferrers(route, subject, seen, depth),
      ...COSIGN_KINDS.map((kind) => moveTag(route, `sha256-${hexOf(subject)}.${kind}`)),
    ]),
  )
  return addUp(moves)
}

async function moveReferrers(
  route: Route,
  subject: Digest,
  seen: Set<Digest>,
  depth: number,
): Promise<MovedSignatures> {
  const { registry, from, to } = route
  const listed = await registry.referrers(from, subject)
  const fresh = listed.map(({ digest }) => digest).filter((digest) => !seen.has(digest))
  for (const digest of fresh) seen.add(digest)
  const moves = await Promise.all(
    fresh.map(async (digest): Promise<MovedSignatures> => {
      const manifest = await registry.manifest({ registry: from.registry, path: from.path, digest })
      // A list that clients keep may name what is gone.
      if (manifest === undefined) return { ...NOTHING_MOVED, signatures: 0 }
      const moved = await moveImage(route, manifest)
      await registry.putManifest({ registry: to.registry, path: to.path, digest }, manifest)
      return { ...moved, signatures: 1 }
    }),
  )
  const deeper = depth < MAX_DEPTH && fresh.length > 0 ? [await moveAll(route, fresh, seen, depth + 1)] : []
  return addUp([...moves, ...deeper])
}

async function moveTag(route: Route, tag: string): Promise<MovedSignatures> {
  const { registry, from, to } = route
  const manifest = await registry.manifest({ registry: from.registry, path: from.path, tag })
  if (manifest === undefined) return { ...NOTHING_MOVED, signatures: 0 }
  const moved = await moveImage(route, manifest)
  await registry.putManifest({ registry: to.registry, path: to.path, tag }, manifest)
  return { ...moved, signatures: 1 }
}

function addUp(moves: readonly MovedSignatures[]): MovedSignatures {
  return { ...sum(moves), signatures: moves.reduce((all, { signatures }) => all + signatures, 0) }
}
