import { closeSync, readSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { hexOf } from '../base/digest.ts'
import { workOnThreads } from '../content/thread-work.ts'
import { type ArchiveSource, BrokenEntry, type OpenedEntry } from './archive-source.ts'
import { makeFolders } from './output-folders.ts'
import type { OutputEntry } from './output-manifest.ts'
import { LARGEST_RECORD, RECORD_DIGEST_NAME, RECORD_NAME, readRecord } from './record-members.ts'
import type { TaskRecord } from './task-record.ts'
import { type StoredFile, type WriteJob, writeFiles } from './write-files.ts'

/** A tar's unit: headers are one long, contents are filled up to it (POSIX pax, "ustar Interchange Format"). */
const BLOCK = 512
const TYPES: Readonly<Record<OutputEntry['kind'], string>> = { file: '0', link: '2', folder: '5' }
const BATCH = { files: 64, bytes: 2e6 }
/** Below this, threads would start when all is done. */
const SHARED = { files: 200, bytes: 8e6 }

/** Bytes that are read at once: the record of a small result fits. */
const HEAD = 8192

interface ReadSource extends ArchiveSource {
  /** Its first bytes. */
  readonly head: Buffer
}

interface Member {
  readonly name: string
  readonly type: string
  readonly size: number
  /** Where its content begins. */
  readonly position: number
}

/**
 * Opens an archive that isn't compressed. Its members lie in the order of the record, so a file's content is found by
 * going from header to header, and is read where it lies, on several threads. Nothing of a header is believed: what is
 * written has the digest that the record has.
 * @throws BrokenEntry when it has no readable record
 */
export function openPlainEntry(archive: ArchiveSource, signal: AbortSignal): OpenedEntry {
  const source: ReadSource = { ...archive, head: readAt({ ...archive, head: Buffer.alloc(0) }, 0, HEAD) }
  const first = readMember(source, 0)
  if (first?.name !== RECORD_NAME || first.size > LARGEST_RECORD) throw new BrokenEntry('it has no record')
  const body = readAt(source, first.position, first.size)
  const second = readMember(source, endOf(first))
  const isDigest = second?.name === RECORD_DIGEST_NAME && second.size <= LARGEST_RECORD
  const record = readRecord(body, isDigest ? readAt(source, second.position, second.size) : undefined)
  return {
    record,
    unpack: (placeOf) => unpack(source, record, endOf(second ?? first), placeOf, signal),
    close: () => closeSync(source.descriptor),
  }
}

async function unpack(
  source: ReadSource,
  { outputs }: TaskRecord,
  start: number,
  placeOf: (path: string) => string,
  signal: AbortSignal,
): Promise<void> {
  const files = storedFiles(source, outputs, start, placeOf)
  makeFolders(outputs, placeOf)
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const isLarge = files.length > SHARED.files || bytes > SHARED.bytes
  const jobs = jobsOf(source.descriptor, files)
  for (const wrong of await workOnThreads(writeFiles, jobs, isLarge ? availableParallelism() : 1, signal)) {
    if (wrong !== '') throw new BrokenEntry(`${wrong} has another digest than its record says`)
  }
}

/** @throws BrokenEntry when the members are not those of the record */
function storedFiles(
  source: ReadSource,
  outputs: readonly OutputEntry[],
  start: number,
  placeOf: (path: string) => string,
): readonly StoredFile[] {
  const files: StoredFile[] = []
  let at = start
  for (const output of outputs) {
    let member = readMember(source, at)
    // A long name stands in a member of its own before the one that it names.
    while (member?.type === 'x') member = readMember(source, endOf(member))
    if (member?.type !== TYPES[output.kind]) throw new BrokenEntry(`${output.path} is missing`)
    const size = output.kind === 'file' ? output.size : 0
    if (output.kind === 'file') {
      const { mode, digest } = output
      const { position } = member
      const { path } = output
      files.push({ path, place: placeOf(path), mode, position, size, hex: hexOf(digest) })
    }
    at = endOf({ ...member, size })
    if (at > source.bytes) throw new BrokenEntry('it is cut off')
  }
  return files
}

/** The largest first, and of those each on its own. */
function jobsOf(descriptor: number, files: readonly StoredFile[]): readonly WriteJob[] {
  const jobs: WriteJob[] = []
  let batch: StoredFile[] = []
  let bytes = 0
  const close = (): void => {
    if (batch.length > 0) jobs.push({ descriptor, files: batch, bytes })
    batch = []
    bytes = 0
  }
  for (const file of files) {
    if (bytes + file.size > BATCH.bytes || batch.length === BATCH.files) close()
    batch.push(file)
    bytes += file.size
  }
  close()
  return jobs.sort((a, b) => b.bytes - a.bytes)
}

function readMember(source: ReadSource, at: number): Member | undefined {
  const header = readAt(source, at, BLOCK)
  if (header.length < BLOCK) return undefined
  const text = (from: number, length: number): string =>
    header.toString('latin1', from, from + length).replace(/\0.*$/s, '')
  const size = text(124, 12).trim()
  return {
    name: text(0, 100),
    type: text(156, 1),
    // A size that needs more digits than there are is written otherwise, and is not needed here.
    size: /^[0-7]+$/.test(size) ? Number.parseInt(size, 8) : 0,
    position: at + BLOCK,
  }
}

function endOf({ position, size }: Pick<Member, 'position' | 'size'>): number {
  return position + Math.ceil(size / BLOCK) * BLOCK
}

/** Reads so many bytes, fewer where the archive ends. */
function readAt({ descriptor, bytes, head }: ReadSource, position: number, length: number): Buffer {
  if (position + length <= head.length) return head.subarray(position, position + length)
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, bytes - position)))
  let filled = 0
  while (filled < buffer.length) {
    const more = readSync(descriptor, buffer, filled, buffer.length - filled, position + filled)
    if (more === 0) break
    filled += more
  }
  return buffer.subarray(0, filled)
}
