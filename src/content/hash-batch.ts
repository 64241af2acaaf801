import type * as Crypto from 'node:crypto'
import type * as Fs from 'node:fs'

/** `git-blob` gives a file the id that git gives it: SHA-1 of `blob <bytes>`, NUL and the content. */
export type HashAlgorithm = 'sha256' | 'git-blob'

export interface HashJob {
  readonly algorithm: HashAlgorithm
  /** Full paths of regular files. */
  readonly files: readonly string[]
  /** Of all files. */
  readonly bytes: number
}

/**
 * Hashes files one after another; answers hex digits in the same order. It needs nothing but its parameters and globals:
 * worker threads get it as text (`thread-work.ts`), since a bundle has no file of its own for them.
 * @throws Error of the file system; Error when a file changes size while it is read
 */
export function hashBatch(fs: typeof Fs, crypto: typeof Crypto, { algorithm, files }: HashJob): string[] {
  const isBlob = algorithm === 'git-blob'
  const name = isBlob ? 'sha1' : 'sha256'
  const headerRoom = 32
  const chunk = 1 << 20
  const buffer = Buffer.allocUnsafeSlow(headerRoom + chunk)
  // A file that became a link or a pipe since it was looked at must not be followed or waited for.
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants

  const fill = (file: number): number => {
    let length = 0
    while (length < chunk) {
      const read = fs.readSync(file, buffer, headerRoom + length, chunk - length, null)
      if (read === 0) break
      length += read
    }
    return length
  }
  const hashOpen = (file: number, path: string): string => {
    let length = fill(file)
    if (length < chunk) {
      const header = isBlob ? `blob ${length}\0` : ''
      const start = headerRoom - header.length
      buffer.write(header, start, 'latin1')
      return crypto.hash(name, buffer.subarray(start, headerRoom + length), 'hex')
    }
    const { size } = fs.fstatSync(file)
    const hash = crypto.createHash(name)
    if (isBlob) hash.update(`blob ${size}\0`)
    let total = 0
    for (; length > 0; length = fill(file)) {
      hash.update(buffer.subarray(headerRoom, headerRoom + length))
      total += length
    }
    if (isBlob && total !== size) throw new Error(`${path} changed while it was read`)
    return hash.digest('hex')
  }
  return files.map((path) => {
    const file = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      return hashOpen(file, path)
    } finally {
      fs.closeSync(file)
    }
  })
}
