import { createHash } from 'node:crypto'

/** A content digest as OCI writes it: `sha256:` and 64 lower-case hex digits (image-spec, descriptor.md, "Digests"). */
export type Digest = string & { readonly __digest: never }

const PATTERN = /^sha256:[0-9a-f]{64}$/

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text)
}

/** Digest of bytes, or of a text's UTF-8 bytes. */
export function digestOf(content: Uint8Array | string): Digest {
  return toDigest(`sha256:${createHash('sha256').update(content).digest('hex')}`)
}

/**
 * Takes a text that must be a digest.
 * @throws RangeError when it is not; check with `isDigest` first where the text comes from outside.
 */
export function toDigest(text: string): Digest {
  if (!isDigest(text)) throw new RangeError(`not a sha256 digest: ${JSON.stringify(text)}`)
  return text
}

/** The digest whose 64 hex digits a SHA-256 of this process gave: for many at once, which needn't all be checked. */
export function hashedDigest(hex: string): Digest {
  if (hex.length !== 64) throw new RangeError(`not a SHA-256: ${JSON.stringify(hex)}`)
  return `sha256:${hex}` as Digest
}

/** The 64 hex digits without the algorithm, as tags and cache keys need them. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length)
}
