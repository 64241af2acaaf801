import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Descriptor } from './registry.ts'
import { BodyError, contentError, type FailedRequest } from './registry-error.ts'

export interface BlobPart {
  readonly blob: Pick<Descriptor, 'digest' | 'size'>
  /** First byte that is wanted; a stream that begins at 0 is cut there. */
  readonly offset: number
  /** First byte that the stream begins with. */
  readonly startsAt: number
}

/**
 * The bytes of a blob on their way to another place, in constant memory. The last ones are handed on only after all
 * were checked: a target never gets a whole blob of other bytes than its descriptor says.
 * @param from the request that the bytes come from, for errors
 * @throws (as the stream's error) BodyError when the source breaks off, RegistryError when it sends other bytes
 */
export function checkedBlob(stream: Readable, part: BlobPart, from: FailedRequest): Readable {
  const checked = Readable.from(check(stream, part, from), { objectMode: false })
  // A stream that nobody reads never starts its generator, which then can't close what lies below.
  checked.once('close', () => stream.destroy())
  return checked
}

async function* check(stream: Readable, { blob, offset, startsAt }: BlobPart, from: FailedRequest) {
  // Only a whole blob can be hashed; the target checks the digest of one that is put together from parts.
  const hash = startsAt === 0 ? createHash('sha256') : undefined
  let at = startsAt
  let held: Uint8Array | undefined
  for await (const chunk of broken(stream, from)) {
    hash?.update(chunk)
    const skipped = Math.max(0, Math.min(chunk.length, offset - at))
    at += chunk.length
    if (at > blob.size) throw wrong(from, `was answered with more than ${blob.size} bytes`)
    if (skipped === chunk.length) continue
    if (held !== undefined) yield held
    held = chunk.subarray(skipped)
  }
  if (at !== blob.size) throw wrong(from, `was answered with ${at} bytes instead of ${blob.size}`)
  const digest = hash === undefined ? blob.digest : `sha256:${hash.digest('hex')}`
  if (digest !== blob.digest) throw wrong(from, `was answered with bytes whose digest is ${digest}`)
  if (held !== undefined) yield held
}

async function* broken(stream: Readable, from: FailedRequest): AsyncGenerator<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        throw new BodyError(from, error)
      })
      if (next.done === true) return
      yield next.value
    }
  } finally {
    stream.destroy()
  }
}

function wrong(from: FailedRequest, problem: string): Error {
  return contentError(from, 200, problem, new Uint8Array())
}
