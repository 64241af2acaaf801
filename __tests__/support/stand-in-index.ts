import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { crc32 } from 'node:zlib'

/** A wheel that stands in for one of gigabytes. */
export interface StandIn {
  readonly name: string
  readonly version: string
  /** Content of the package's files, by their path in the wheel. */
  readonly files: Readonly<Record<string, string | Buffer>>
}

/** A package index on loopback (simple repository API, PEP 503). */
export interface StandInIndex {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves wheels; builders of the tests share this machine's network.
 * @param givesParts whether a part of a file may be asked for (RFC 9110, 14)
 */
export async function startStandInIndex(
  packages: readonly StandIn[],
  { givesParts = true }: { readonly givesParts?: boolean } = {},
): Promise<StandInIndex> {
  const wheels = new Map(packages.map((one) => [wheelName(one), { ...one, bytes: wheelOf(one) }]))
  const server = createServer((request, response) => {
    const [, folder, name = ''] = decodeURIComponent(request.url ?? '').split('/')
    const wheel = wheels.get(name)
    if (folder === 'files' && wheel !== undefined) {
      const part = givesParts ? partOf(wheel.bytes, request.headers.range) : undefined
      if (part !== undefined) response.writeHead(206, { 'content-range': part.range })
      response.end(part?.bytes ?? wheel.bytes)
      return
    }
    const links = [...wheels].filter(([, one]) => one.name === name).map(([file, { bytes }]) => link(file, bytes))
    response.writeHead(links.length === 0 ? 404 : 200, { 'content-type': 'text/html' }).end(links.join('\n'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/simple`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function partOf(
  whole: Buffer,
  asked: string | undefined,
): { readonly range: string; readonly bytes: Buffer } | undefined {
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(asked ?? '') ?? []
  if (from === '' && to === '') return undefined
  const first = from === '' ? Math.max(0, whole.length - Number(to)) : Number(from)
  const last = from === '' || to === '' ? whole.length - 1 : Math.min(Number(to), whole.length - 1)
  return { range: `bytes ${first}-${last}/${whole.length}`, bytes: whole.subarray(first, last + 1) }
}

function link(file: string, bytes: Buffer): string {
  const hash = createHash('sha256').update(bytes).digest('hex')
  return `<a href="/files/${encodeURIComponent(file)}#sha256=${hash}">${file}</a>`
}

function wheelName({ name, version }: StandIn): string {
  return `${name}-${version}-py3-none-any.whl`
}

function wheelOf({ name, version, files }: StandIn): Buffer {
  const info = `${name}-${version}.dist-info`
  const all = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
  }
  const record = [...Object.keys(all), `${info}/RECORD`].map((path) => `${path},,\n`).join('')
  return zipOf({ ...all, [`${info}/RECORD`]: record })
}

/** A zip whose files are stored as they are (APPNOTE.TXT 4.3). */
function zipOf(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const parts: Buffer[] = []
  const entries: Buffer[] = []
  let offset = 0
  for (const [path, content] of Object.entries(files)) {
    const [name, bytes] = [Buffer.from(path), Buffer.from(content)]
    // Version 2.0, no flags, stored, 1980-01-01, checksum, both sizes, length of the name, nothing extra.
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(0x21, 8)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(bytes.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(name.length, 22)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(0o100644 * 0x10000, 6)
    rest.writeUInt32LE(offset, 10)
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x03'), common, rest, name]))
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, bytes])
    parts.push(local)
    offset += local.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(
    entries.reduce((sum, entry) => sum + entry.length, 0),
    12,
  )
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...parts, ...entries, end])
}
