import { type Digest, isDigest } from '../base/digest.ts'
import { isJsonRecord, parseJson, textField } from '../base/json-value.ts'

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
  const value = parseJson(text)
  const fields = isJsonRecord(value) ? value : {}
  const digest = fields['containerimage.digest']
  const config = fields['containerimage.config.digest']
  const known = typeof digest === 'string' && isDigest(digest) ? digest : undefined
  return { text, digest: known, imageId: typeof config === 'string' ? config : known }
}

/** Name of the build in its builder's history: the last part of `buildx.build.ref`. */
export function buildReference(text: string): string | undefined {
  const value = parseJson(text)
  const ref = isJsonRecord(value) ? textField(value, 'buildx.build.ref') : undefined
  return ref?.split('/').at(-1) || undefined
}
