import { Readable } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'

const MAGIC = 0xfd2fb528
/** Frames that hold no data: seek tables of lazily pulled layers, for one (RFC 8878, section 3.1.2). */
const SKIPPABLE = 0x184d2a50

/**
 * Unpacks zstd of several frames, end to end: layers may be made so, and Node's own stream stops behind the first
 * without a word. Frames are told apart by the sizes of their blocks (RFC 8878, section 3.1.1).
 * @throws Error when the bytes are no zstd or are cut off.
 */
export async function* unzstd(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = new ByteSource(bytes)
  while (await source.has()) {
    const head = await source.peek(4)
    const magic = head.readUInt32LE(0)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      const size = (await source.peek(8)).readUInt32LE(4)
      for await (const _ of source.take(8 + size));
      continue
    }
    if (magic !== MAGIC) throw new Error('the bytes are no zstd')
    for await (const chunk of Readable.from(frame(source), { objectMode: false }).pipe(createZstdDecompress())) {
      yield chunk
    }
  }
}

async function* frame(source: ByteSource): AsyncGenerator<Uint8Array> {
  const descriptor = (await source.peek(5)).readUInt8(4)
  const isSingle = (descriptor & 0x20) !== 0
  const sizeField = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0
  yield* source.take(5 + (isSingle ? 0 : 1) + dictionary + sizeField)
  for (;;) {
    const header = (await source.peek(3)).readUIntLE(0, 3)
    const kind = (header >> 1) & 3
    // A block of one repeated byte holds that byte alone.
    yield* source.take(3 + (kind === 1 ? 1 : header >> 3))
    if ((header & 1) === 1) break
  }
  if ((descriptor & 4) !== 0) yield* source.take(4)
}

/** Bytes of a stream in the amounts that are asked for. */
class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>
  #buffer = Buffer.alloc(0)

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#chunks = bytes[Symbol.asyncIterator]()
  }

  async has(): Promise<boolean> {
    return this.#buffer.length > 0 || (await this.#more())
  }

  /** The next bytes, which stay where they are. */
  async peek(length: number): Promise<Buffer> {
    while (this.#buffer.length < length) if (!(await this.#more())) throw new Error('the zstd is cut off')
    return this.#buffer.subarray(0, length)
  }

  async *take(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      if (!(await this.has())) throw new Error('the zstd is cut off')
      const chunk = this.#buffer.subarray(0, left)
      this.#buffer = this.#buffer.subarray(chunk.length)
      left -= chunk.length
      yield chunk
    }
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#chunks.next()
    if (done === true) return false
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(value) : Buffer.concat([this.#buffer, value])
    return true
  }
}
