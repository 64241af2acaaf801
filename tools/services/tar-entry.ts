/** A regular file for a layer. */
export interface TarFile {
  /** Without a slash at the start, at most 100 bytes. */
  readonly path: string
  readonly content: Buffer
  readonly mode?: number
}

const blockSize = 512

/** The two empty blocks that end a tar. */
export const tarTrailer = Buffer.alloc(2 * blockSize)

/** A file as it stands in a tar (ustar header, owner 0, time 0, content padded to whole blocks). */
export function tarEntry(file: TarFile): Buffer {
  const header = Buffer.alloc(blockSize)
  const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`
  header.write(file.path, 0, 100)
  header.write(octal(file.mode ?? 0o644, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(file.content.length, 12), 124)
  header.write(octal(0, 12), 136)
  // The checksum is taken with blanks in its own place.
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const padding = Buffer.alloc((blockSize - (file.content.length % blockSize)) % blockSize)
  return Buffer.concat([header, file.content, padding])
}
