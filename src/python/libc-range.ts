import type { Libc } from '../base/libc.ts'

/** The C library that an image has: both ends of what is known of it, in versions that uv knows. */
export interface LibcRange {
  readonly atLeast: Libc
  readonly atMost: Libc
}

/** glibc's versions, `2.x`, that uv has names for (`uv pip install --python-platform`). */
const KNOWN_TO_UV = [17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40]

/** Of an image that doesn't tell: 2.28 is Debian 10's and RHEL 8's, older ones get no new Python images any more. */
export const SOME_LIBC: LibcRange = { atLeast: 28, atMost: 40 }
const MUSL: LibcRange = { atLeast: 'musl', atMost: 'musl' }

/** @param libc undefined where the image doesn't tell */
export function libcRange(libc: Libc | undefined): LibcRange {
  if (libc === undefined) return SOME_LIBC
  if (libc === 'musl') return MUSL
  return {
    atLeast: KNOWN_TO_UV.findLast((known) => known <= libc) ?? 17,
    atMost: KNOWN_TO_UV.find((known) => known >= libc) ?? 40,
  }
}
