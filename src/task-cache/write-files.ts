import type * as Crypto from 'node:crypto'
import type * as Fs from 'node:fs'

/** A file whose content lies in an archive, without any wrapping. */
export interface StoredFile {
  /** What messages call it. */
  readonly path: string
  /** Full path of the file that is to be made. */
  readonly place: string
  readonly mode: number
  /** Where its content begins in the archive, and its length. */
  readonly position: number
  readonly size: number
  /** Hex digits of the SHA-256 that the content must have. */
  readonly hex: string
}

export interface WriteJob {
  /** The open archive: descriptors belong to the process, so all threads may read. */
  readonly descriptor: number
  readonly files: readonly StoredFile[]
  /** Of all files. */
  readonly bytes: number
}

/**
 * Writes files out of an archive, each compared with its digest. It needs nothing but its parameters and globals:
 * threads get it as text (`thread-work.ts`).
 * @returns the path of the first file whose content is another one, then the rest is not written; else nothing
 * @throws Error of the file system
 */
export function writeFiles(fs: typeof Fs, crypto: typeof Crypto, { descriptor, files }: WriteJob): string {
  const most = 1 << 20
  const longest = files.reduce((length, { size }) => Math.max(length, size), 0)
  const buffer = Buffer.allocUnsafeSlow(Math.min(most, longest))

  const read = (position: number, wanted: number): Uint8Array => {
    let length = 0
    while (length < wanted) {
      const more = fs.readSync(descriptor, buffer, length, wanted - length, position + length)
      if (more === 0) break
      length += more
    }
    return buffer.subarray(0, length)
  }
  const write = (file: number, bytes: Uint8Array): void => {
    for (let written = 0; written < bytes.length; ) written += fs.writeSync(file, bytes, written)
  }
  const writeInPieces = (file: number, { position, size, hex }: StoredFile): boolean => {
    const hash = crypto.createHash('sha256')
    for (let at = 0; at < size; at += most) {
      const piece = read(position + at, Math.min(most, size - at))
      if (piece.length < Math.min(most, size - at)) return false
      hash.update(piece)
      write(file, piece)
    }
    return hash.digest('hex') === hex
  }
  for (const stored of files) {
    const { path, place, mode, position, size, hex } = stored
    const content = size <= most ? read(position, size) : undefined
    if (content !== undefined && (content.length < size || crypto.hash('sha256', content, 'hex') !== hex)) return path
    const file = fs.openSync(place, 'wx', 0o600)
    try {
      if (content !== undefined) write(file, content)
      else if (!writeInPieces(file, stored)) return path
      fs.fchmodSync(file, mode)
    } finally {
      fs.closeSync(file)
    }
  }
  return ''
}
