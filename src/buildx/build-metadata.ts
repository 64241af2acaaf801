import { type Digest, isDigest } from '../base/digest.ts'

/** What buildx's metadata file tells of a build. */
export interface BuildMetadata {
  /** The file as buildx wrote it: the action's `metadata` output. */
  readonly text: string
  /** Digest of the manifest or index; undefined when nothing was exported. */
  readonly digest: Digest | undefined
  /** Digest of the image's configuration, or of the image where it is an index (as docker/build-push-action has it). */
  readonly imageId: string | undefined
}

/** Reads the metadata file. Fields of an unknown form count as absent. */
export function readBuildMetadata(text: string): BuildMetadata {
  const fields = parseRecord(text)
  const digest = fields['containerimage.digest']
  const config = fields['containerimage.config.digest']
  const known = typeof digest === 'string' && isDigest(digest) ? digest : undefined
  return { text, digest: known, imageId: typeof config === 'string' ? config : known }
}

function parseRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : {}
  } catch {
    return {}
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
