import { buffer } from 'node:stream/consumers'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { digestOf } from '../base/digest.ts'
import { compressedLayer, type KeptLayer } from './kept-layer.ts'

/** A layer that is made here, with its bytes. */
export interface OwnLayer {
  readonly layer: KeptLayer
  readonly bytes: Uint8Array
}

/** 1980-01-01, the time of all files that we make. */
const FILE_TIME = new Date(315532800_000)

/**
 * A layer that holds folders alone, of root's and open to all, with the folders above them. A few hundred bytes need no
 * builder.
 * @param paths absolute
 * @param compression `zstd`, `gzip` or `uncompressed`
 */
export async function folderLayer(paths: readonly string[], compression: string): Promise<OwnLayer> {
  const tar = pack()
  for (const name of foldersDownTo(paths)) {
    tar.entry({ name: `${name}/`, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtime: FILE_TIME })
  }
  tar.finalize()
  const plain = await buffer(tar)
  const bytes = compressed(plain, compression)
  const mediaType = compressedLayer(compression)
  return { layer: { mediaType, digest: digestOf(bytes), size: bytes.length, diffId: digestOf(plain) }, bytes }
}

/** Nobody fetches a few folders lazily: with eStargz they are plain gzip. */
function compressed(plain: Buffer, compression: string): Buffer {
  if (compression === 'zstd') return zstdCompressSync(plain)
  return compression === 'gzip' || compression === 'estargz' ? gzipSync(plain) : plain
}

/** `/app/src` and `/app/data`: `app`, `app/data`, `app/src`. */
function foldersDownTo(paths: readonly string[]): readonly string[] {
  const all = paths.flatMap((path) => {
    const parts = path.split('/').filter((part) => part !== '')
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
  })
  return [...new Set(all)].sort()
}
