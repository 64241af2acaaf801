import { createHash, hash } from 'node:crypto'
import { closeSync, createReadStream, fchmodSync, openSync, writeSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createZstdDecompress } from 'node:zlib'
import { type ExtractEvents, extract as startExtract } from 'tar-stream'
import { codeOf, messageOf } from '../base/errors.ts'
import { type ArchiveSource, BrokenEntry, isCompressed, type OpenedEntry } from './archive-source.ts'
import { makeFolders } from './output-folders.ts'
import type { OutputEntry } from './output-manifest.ts'
import { OUTPUTS_FOLDER } from './pack-outputs.ts'
import { openPlainEntry } from './plain-archive.ts'
import { LARGEST_RECORD, RECORD_DIGEST_NAME, RECORD_NAME, readRecord } from './record-members.ts'
import type { TaskRecord } from './task-record.ts'

type Member = ExtractEvents['entry'][1]
type FileEntry = Extract<OutputEntry, { kind: 'file' }>

/**
 * Opens an archive that `packOutputs` wrote, and closes its file when it can't be opened.
 * @throws BrokenEntry when it has no readable record
 */
export async function openEntry(source: ArchiveSource, signal: AbortSignal): Promise<OpenedEntry> {
  if (source.bytes >= 4 && isCompressed(source)) return openCompressedEntry(source, signal)
  try {
    return openPlainEntry(source, signal)
  } catch (error) {
    closeSync(source.descriptor)
    throw error
  }
}

async function openCompressedEntry({ descriptor, bytes }: ArchiveSource, signal: AbortSignal): Promise<OpenedEntry> {
  const stop = new AbortController()
  const extract = startExtract()
  // The stream closes the file when no reading is under way any more.
  const reading = createReadStream('', { fd: descriptor, start: 0, end: bytes - 1, highWaterMark: 256 * 1024 })
  const ended = pipeline(reading, createZstdDecompress(), extract, { signal: AbortSignal.any([signal, stop.signal]) })
  // The trouble comes out where the members are read.
  ended.catch(() => undefined)
  const members = extract[Symbol.asyncIterator]()
  try {
    const first = await members.next()
    if (first.done === true || first.value.header.name !== RECORD_NAME) throw new BrokenEntry('it has no record')
    const body = await contentOf(first.value, LARGEST_RECORD)
    const second = await members.next()
    const isDigest = second.done !== true && second.value.header.name === RECORD_DIGEST_NAME
    const record = readRecord(body, isDigest ? await contentOf(second.value, LARGEST_RECORD) : undefined)
    return { record, unpack: (placeOf) => unpack(members, ended, record, placeOf), close: () => stop.abort() }
  } catch (error) {
    stop.abort()
    throw asBroken(error)
  }
}

async function unpack(
  members: AsyncIterator<Member>,
  ended: Promise<void>,
  record: TaskRecord,
  placeOf: (path: string) => string,
): Promise<void> {
  const missing = new Map<string, FileEntry>()
  for (const output of record.outputs) if (output.kind === 'file') missing.set(output.path, output)
  makeFolders(record.outputs, placeOf)
  try {
    for (let next = await members.next(); next.done !== true; next = await members.next()) {
      const { header } = next.value
      if (header.type !== 'file') {
        next.value.resume()
        continue
      }
      const path = header.name.startsWith(OUTPUTS_FOLDER) ? header.name.slice(OUTPUTS_FOLDER.length) : ''
      const expected = missing.get(path)
      if (expected === undefined)
        throw new BrokenEntry(`it holds ${JSON.stringify(header.name)}, which its record has not`)
      if (header.size !== expected.size) throw new BrokenEntry(`${path} has another size than its record says`)
      await writeMember(next.value, expected, placeOf(path))
      missing.delete(path)
    }
    // The checksum comes after the last member.
    await ended
  } catch (error) {
    throw asBroken(error)
  }
  const [lost] = missing.keys()
  if (lost !== undefined) throw new BrokenEntry(`${lost} is missing`)
}

async function writeMember(member: Member, expected: FileEntry, place: string): Promise<void> {
  // Small writes are done at once: a promise for each costs more than the write.
  const file = openSync(place, 'wx', 0o600)
  try {
    const digest = await writeChunks(member, file)
    if (`sha256:${digest}` !== expected.digest)
      throw new BrokenEntry(`${expected.path} has another digest than its record says`)
    fchmodSync(file, expected.mode)
  } finally {
    closeSync(file)
  }
}

async function writeChunks(member: Member, file: number): Promise<string> {
  let only: Uint8Array | undefined
  let hasher: ReturnType<typeof createHash> | undefined
  for await (const bytes of bytesOf(member)) {
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
    if (hasher !== undefined) hasher.update(bytes)
    else if (only === undefined) only = bytes
    else hasher = createHash('sha256').update(only).update(bytes)
  }
  return hasher === undefined ? hash('sha256', only ?? '', 'hex') : hasher.digest('hex')
}

async function contentOf(member: Member, most: number): Promise<Uint8Array> {
  if ((member.header.size ?? 0) > most) throw new BrokenEntry('its record is too large')
  const chunks: Uint8Array[] = []
  for await (const chunk of bytesOf(member)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function* bytesOf(member: Member): AsyncGenerator<Uint8Array> {
  for await (const chunk of member) if (chunk instanceof Uint8Array) yield chunk
}

/** Troubles of tar and zstd are those of a broken entry; troubles of the file system are told as they are. */
function asBroken(error: unknown): Error {
  if (error instanceof BrokenEntry) return error
  if (error instanceof Error && /^E[A-Z]+$/.test(codeOf(error) ?? '')) return error
  return new BrokenEntry(`it can't be read: ${messageOf(error)}`, { cause: error })
}
