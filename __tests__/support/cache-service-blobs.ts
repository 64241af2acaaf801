import type { IncomingHttpHeaders } from 'node:http'

/** What the blob side answers; `body` is left out of the answer to a HEAD by the caller. */
export interface BlobAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

const MAX_SINGLE_PUT = 5000 * 1024 * 1024

/** The part of Azure's block blob protocol that cache clients use: one PUT, blocks and their list, HEAD, ranged GET. */
export class CacheBlobs {
  readonly #blobs = new Map<string, Buffer>()
  readonly #blocks = new Map<string, Map<string, Buffer>>()

  size(id: string): number | undefined {
    return this.#blobs.get(id)?.length
  }

  put(id: string, query: URLSearchParams, headers: IncomingHttpHeaders, body: Buffer): BlobAnswer {
    if (headers['x-ms-version'] === undefined) return refuse(400, 'MissingRequiredHeader', 'x-ms-version')
    if (Number(headers['content-length']) !== body.length) return refuse(400, 'InvalidHeaderValue', 'content-length')
    const part = query.get('comp')
    if (part === null) return this.#putWhole(id, headers, body)
    if (part === 'block') return this.#putBlock(id, query.get('blockid'), body)
    if (part === 'blocklist') return this.#putBlockList(id, body.toString())
    return refuse(400, 'InvalidQueryParameterValue', `comp=${part}`)
  }

  get(id: string, headers: IncomingHttpHeaders): BlobAnswer {
    const blob = this.#blobs.get(id)
    if (blob === undefined) return refuse(404, 'BlobNotFound', id)
    const asked = headers['x-ms-range'] ?? headers.range
    if (typeof asked !== 'string') return { status: 200, headers: blobHeaders(id), body: blob }
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(asked) ?? []
    if (from === undefined || Number(from) >= Math.max(blob.length, 1)) return refuse(416, 'InvalidRange', asked)
    const end = Math.min(to === undefined || to === '' ? blob.length : Number(to) + 1, blob.length)
    const range = `bytes ${from}-${end - 1}/${blob.length}`
    const body = blob.subarray(Number(from), end)
    return { status: 206, headers: { ...blobHeaders(id), 'content-range': range }, body }
  }

  clear(): void {
    this.#blobs.clear()
    this.#blocks.clear()
  }

  #putWhole(id: string, headers: IncomingHttpHeaders, body: Buffer): BlobAnswer {
    if (headers['x-ms-blob-type'] !== 'BlockBlob') return refuse(400, 'InvalidHeaderValue', 'x-ms-blob-type')
    if (body.length > MAX_SINGLE_PUT) return refuse(413, 'RequestBodyTooLarge', String(body.length))
    this.#blobs.set(id, body)
    return { status: 201, headers: blobHeaders(id) }
  }

  #putBlock(id: string, blockId: string | null, body: Buffer): BlobAnswer {
    if (blockId === null || blockId === '') return refuse(400, 'InvalidQueryParameterValue', 'blockid')
    const blocks = this.#blocks.get(id) ?? new Map<string, Buffer>()
    this.#blocks.set(id, blocks.set(blockId, body))
    return { status: 201 }
  }

  #putBlockList(id: string, xml: string): BlobAnswer {
    const staged = this.#blocks.get(id) ?? new Map<string, Buffer>()
    const names = [...xml.matchAll(/<(?:Latest|Uncommitted)>([^<]+)</g)].map(([, name]) => name ?? '')
    const blocks: Buffer[] = []
    for (const name of names) {
      const block = staged.get(name)
      if (block === undefined) return refuse(400, 'InvalidBlockList', name)
      blocks.push(block)
    }
    this.#blobs.set(id, Buffer.concat(blocks))
    this.#blocks.delete(id)
    return { status: 201, headers: blobHeaders(id) }
  }
}

function blobHeaders(id: string): Record<string, string> {
  return {
    etag: `"${id}"`,
    'last-modified': new Date(0).toUTCString(),
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
    'x-ms-blob-type': 'BlockBlob',
  }
}

function refuse(status: number, code: string, detail: string): BlobAnswer {
  const body = Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${detail}</Message></Error>`)
  return { status, headers: { 'content-type': 'application/xml', 'x-ms-error-code': code }, body }
}
