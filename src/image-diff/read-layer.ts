import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import type { FileKind, FileNode, LayerEntry } from './file-tree.ts'
import { withoutNoise } from './noise.ts'
import { unzstd } from './zstd-frames.ts'

/** Text files that hold lines of noise are small. */
const LONGEST_NOISY_FILE = 64 * 1024

/**
 * Reads a layer while it streams in: of each file only its digest is kept.
 * @param bytes the layer as it lies in the registry.
 * @param mediaType says how it is compressed (OCI image-spec, layer.md).
 * @throws Error when it is no tar, is cut off, or is compressed in a way that is not known.
 */
export async function readLayer(bytes: AsyncIterable<Uint8Array>, mediaType: string): Promise<readonly LayerEntry[]> {
  const source = Readable.from(bytes, { objectMode: false })
  const unpacked = decompressed(source, mediaType)
  const archive = extract()
  unpacked.on('error', (error) => archive.destroy(error))
  source.on('error', (error) => archive.destroy(error))
  unpacked.pipe(archive)
  const entries: LayerEntry[] = []
  for await (const entry of archive) {
    const path = cleanPath(entry.header.name)
    const node = entry.header.type === 'link' ? undefined : await readNode(path, entry.header, entry)
    entry.resume()
    const read = entryOf(path, entry.header, node)
    if (read !== undefined) entries.push(read)
  }
  return entries
}

function decompressed(source: Readable, mediaType: string): Readable {
  if (/zstd$/.test(mediaType)) return Readable.from(unzstd(source), { objectMode: false })
  if (/gzip$/.test(mediaType)) return forwardErrors(source, createGunzip())
  if (/tar$/.test(mediaType)) return source
  throw new Error(`a layer is of the type ${mediaType}, which is not known`)
}

function forwardErrors<Stream extends NodeJS.ReadWriteStream & Readable>(source: Readable, stream: Stream): Stream {
  source.on('error', (error) => stream.destroy(error))
  source.pipe(stream)
  return stream
}

function entryOf(path: string, header: Header, node: FileNode | undefined): LayerEntry | undefined {
  const name = posix.basename(path)
  const folder = path.includes('/') ? posix.dirname(path) : ''
  if (name === '.wh..wh..opq') return { what: 'opaque', path: folder }
  // AUFS keeps notes of its own under these names; they are no files of the image.
  if (name.startsWith('.wh..wh.')) return undefined
  if (name.startsWith('.wh.')) return { what: 'whiteout', path: posix.join(folder, name.slice('.wh.'.length)) }
  if (header.type === 'link') return { what: 'hard-link', path, target: cleanPath(header.linkname ?? '') }
  return node === undefined || path === '' ? undefined : { what: 'node', path, node }
}

async function readNode(path: string, header: Header, bytes: AsyncIterable<unknown>): Promise<FileNode> {
  const kind = kindOf(header)
  const owner = { mode: (header.mode ?? 0) & 0o7777, uid: header.uid ?? 0, gid: header.gid ?? 0 }
  if (kind === 'file') return { kind, ...owner, ...(await contentOf(path, header, bytes)), size: header.size ?? 0 }
  // The mode of a link means nothing on Linux.
  if (kind === 'link') return { kind, ...owner, mode: 0o777, content: header.linkname ?? '', size: 0 }
  const content = kind === 'device' ? `${header.type} ${header.devmajor ?? 0}:${header.devminor ?? 0}` : ''
  return { kind, ...owner, content, size: 0 }
}

async function contentOf(
  path: string,
  header: Header,
  bytes: AsyncIterable<unknown>,
): Promise<Pick<FileNode, 'content' | 'program'>> {
  const hash = createHash('sha256')
  if ((header.size ?? 0) > LONGEST_NOISY_FILE) {
    for await (const chunk of bytes) hash.update(bytesOf(chunk))
    return { content: hash.digest('hex') }
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(bytesOf(chunk))
  const { bytes: signal, ...program } = withoutNoise(path, Buffer.concat(chunks))
  return { content: hash.update(signal).digest('hex'), ...program }
}

/** The library's types don't say what a stream gives. */
function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  throw new TypeError('a layer gave something else than bytes')
}

function kindOf({ type }: Header): FileKind {
  switch (type) {
    case 'directory':
      return 'folder'
    case 'symlink':
      return 'link'
    case 'block-device':
    case 'character-device':
      return 'device'
    case 'fifo':
      return 'pipe'
    default:
      return 'file'
  }
}

/** `./usr/bin/` and `/usr/bin` are `usr/bin`. */
function cleanPath(name: string): string {
  return posix.join('/', name).slice(1).replace(/\/$/, '')
}
