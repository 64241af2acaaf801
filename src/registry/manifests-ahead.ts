import { type ImageReference, sameRepository } from './reference.ts'
import type { RawManifest, Registry } from './registry.ts'

/** A manifest that was asked for already, and what came of it. */
interface Ahead {
  readonly manifest: RawManifest | undefined
}

/**
 * A registry of which some manifests are asked for now, before anybody knows whether they are needed. Whoever asks for
 * one of them later, by its tag or by the digest that the tag turned out to have, gets that answer; all else goes to the
 * registry. An error counts once, for the first who asks. For a moment only: a tag may move.
 * @param references tags, one for a repository at most
 */
export function manifestsAhead(registry: Registry, references: readonly ImageReference[]): Registry {
  const asked = new Set(references.map((reference) => ({ reference, answer: registry.manifest(reference) })))
  for (const { answer } of asked) answer.catch(() => undefined)

  const find = async (wanted: ImageReference): Promise<Ahead | undefined> => {
    const known = [...asked].find(({ reference }) => sameRepository(reference, wanted))
    if (known === undefined) return undefined
    if (wanted.digest === undefined && wanted.tag !== known.reference.tag) return undefined
    const manifest = await known.answer.catch((error: unknown) => {
      asked.delete(known)
      throw error
    })
    return wanted.digest === undefined || manifest?.digest === wanted.digest ? { manifest } : undefined
  }
  return {
    head: async (reference) => {
      const ahead = await find(reference)
      if (ahead === undefined) return registry.head(reference)
      const { manifest } = ahead
      return manifest && { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length }
    },
    manifest: async (reference) => {
      const ahead = await find(reference)
      return ahead === undefined ? registry.manifest(reference) : ahead.manifest
    },
    putManifest: (reference, manifest) => registry.putManifest(reference, manifest),
    blob: (repository, digest) => registry.blob(repository, digest),
    blobChunks: (repository, digest, size) => registry.blobChunks(repository, digest, size),
    hasBlob: (repository, digest) => registry.hasBlob(repository, digest),
    putBlob: (repository, bytes) => registry.putBlob(repository, bytes),
    mountBlob: (repository, digest, from) => registry.mountBlob(repository, digest, from),
    copyBlob: (repository, blob, from) => registry.copyBlob(repository, blob, from),
    referrers: (repository, subject) => registry.referrers(repository, subject),
  }
}
