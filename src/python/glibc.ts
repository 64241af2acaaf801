/** The C library that an image has, `2.x`: both ends of what is known of it are versions that uv knows. */
export interface GlibcRange {
  readonly atLeast: number
  readonly atMost: number
}

/** uv's names of C libraries (`uv pip install --python-platform`). */
const KNOWN_TO_UV = [17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40]

/** Of an image that doesn't tell: 2.28 is Debian 10's and RHEL 8's, older ones get no new Python images any more. */
export const SOME_GLIBC: GlibcRange = { atLeast: 28, atMost: 40 }

/** @param minor `36` is 2.36; undefined where the image doesn't tell */
export function glibcRange(minor: number | undefined): GlibcRange {
  if (minor === undefined) return SOME_GLIBC
  return {
    atLeast: KNOWN_TO_UV.findLast((known) => known <= minor) ?? 17,
    atMost: KNOWN_TO_UV.find((known) => known >= minor) ?? 40,
  }
}
