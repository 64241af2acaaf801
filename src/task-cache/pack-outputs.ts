import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { type Header, type Pack, pack as startPack } from 'tar-stream'
import type { OutputEntry } from './output-manifest.ts'
import { RECORD_DIGEST_NAME, RECORD_NAME, recordDigest } from './record-members.ts'
import { encodeRecord, type TaskRecord } from './task-record.ts'

/** Name of the folder in an archive that holds the output files. */
export const OUTPUTS_FOLDER = 'outputs/'

export interface PackOptions {
  /** Without compression, for a store on this machine: reading it again takes as long as copying the files. */
  readonly plain: boolean
}

type MemberHeader = Partial<Header> & Pick<Header, 'name'>

/** Files up to this size are read in one go. */
const SMALL = 1024 * 1024

/**
 * Writes a result as a tar in zstd: the record, its digest, then the outputs in its order. Memory stays constant.
 * @param to path of the archive, a file that is not there yet
 * @returns the archive's bytes
 * @throws Error of the file system; Error when a file's size is not that of the record
 */
export async function packOutputs(
  root: string,
  record: TaskRecord,
  to: string,
  signal: AbortSignal,
  { plain }: PackOptions = { plain: false },
): Promise<number> {
  const pack = startPack()
  const file = createWriteStream(to, { flags: 'wx', mode: 0o600, highWaterMark: SMALL })
  const writing = plain
    ? pipeline(pack, file, { signal })
    : pipeline(pack, createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } }), file, { signal })
  const feeding = feed(pack, root, record).catch((error: unknown) => {
    pack.destroy(error instanceof Error ? error : new Error(String(error)))
    throw error
  })
  // When writing fails, what is fed waits for ever: nobody may wait for it.
  await Promise.all([writing, feeding])
  return (await stat(to)).size
}

async function feed(pack: Pack, root: string, record: TaskRecord): Promise<void> {
  const body = encodeRecord(record)
  // A fixed time: the same outputs give the same archive.
  const mtime = new Date(0)
  await addBytes(pack, { name: RECORD_NAME, mode: 0o644, mtime }, body)
  await addBytes(pack, { name: RECORD_DIGEST_NAME, mode: 0o644, mtime }, recordDigest(body))
  for (const output of record.outputs) await addOutput(pack, root, output)
  pack.finalize()
}

async function addOutput(pack: Pack, root: string, output: OutputEntry): Promise<void> {
  const name = `${OUTPUTS_FOLDER}${output.path}`
  const mtime = new Date(0)
  if (output.kind === 'link') return addEmpty(pack, { name, mtime, type: 'symlink', linkname: output.target })
  if (output.kind === 'folder') return addEmpty(pack, { name: `${name}/`, mtime, type: 'directory', mode: output.mode })
  const header: MemberHeader = { name, mtime, mode: output.mode, size: output.size }
  const file = join(root, output.path)
  if (output.size <= SMALL) return addBytes(pack, header, await readFile(file))
  return addFile(pack, header, file)
}

function addBytes(pack: Pack, header: MemberHeader, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry = pack.entry({ size: bytes.length, ...header }, (error) => (error ? reject(error) : resolve()))
    entry.on('error', reject)
    entry.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  })
}

function addEmpty(pack: Pack, header: MemberHeader): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry({ size: 0, ...header }, Buffer.alloc(0), (error) => (error ? reject(error) : resolve()))
  })
}

async function addFile(pack: Pack, header: MemberHeader, file: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const entry = pack.entry(header, (error) => (error ? reject(error) : resolve()))
    entry.on('error', reject)
    pipeline(createReadStream(file, { highWaterMark: SMALL }), entry).catch(reject)
  })
}
