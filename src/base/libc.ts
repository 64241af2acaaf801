/** An image's C library: `36` is glibc 2.36, `musl` is musl 1.2, which Alpine has had since its 3.13. */
export type Libc = number | 'musl'

/**
 * uv's name for what wheels are to run on (`--python-platform`).
 * @param machine `x86_64`, or a shell's expression for it
 */
export function uvPlatform(machine: string, libc: Libc): string {
  return libc === 'musl' ? `${machine}-unknown-linux-musl` : `${machine}-manylinux_2_${libc}`
}
