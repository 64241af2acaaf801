import { createHash } from 'node:crypto'
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { copyFile, open, rm, stat } from 'node:fs/promises'
import { type Digest, toDigest } from '../base/digest.ts'
import { decodeFooter, doubtEntry, type EntryFooter, encodeFooter, FOOTER_BYTES } from './entry-codec.ts'
import { type EntrySeal, openSeal } from './entry-seal.ts'
import type { StoreKey } from './store.ts'

/** Size and digest of the content of an entry that lay in a file. */
export interface FileContent {
  readonly bytes: number
  readonly digest: Digest
}

const CHUNK = 1024 * 1024

/**
 * Makes an entry of a file's content at a new place. The content is copied by the kernel, or shared where the file
 * system can, then read once for its digest.
 * @throws Error of the file system, such as ENOSPC; what was written so far is left to the caller
 */
export async function sealFile(from: string, to: string, key: StoreKey, seal: EntrySeal): Promise<FileContent> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  const { size } = await stat(to)
  const digest = await digestOfFile(to, size)
  const file = await open(to, 'a', 0o600)
  try {
    await file.chmod(0o600)
    await file.write(encodeFooter(key, digest, seal))
  } finally {
    await file.close()
  }
  return { bytes: size, digest }
}

/**
 * Makes plain content of a file that holds an entry: checks it and takes the footer off.
 * @returns a text that says why the entry is not believed; then the file is as it was
 */
export async function unsealFile(file: string, key: StoreKey, seal: EntrySeal): Promise<FileContent | string> {
  const content = await readContent(file, key, seal)
  if (typeof content === 'string') return content
  const handle = await open(file, 'r+')
  try {
    await handle.truncate(content.bytes)
  } finally {
    await handle.close()
  }
  return content
}

/** Why an entry that lies in a file is not believed; undefined when it is as it was written. */
export async function checkFile(file: string, key: StoreKey, seal: EntrySeal): Promise<string | undefined> {
  const content = await readContent(file, key, seal)
  return typeof content === 'string' ? content : undefined
}

/**
 * Writes the content of an entry that lies in a file to a new file.
 * @returns a text that says why the entry is not believed; then, as when it throws, nothing is left at `to`
 */
export async function extractFile(
  from: string,
  to: string,
  key: StoreKey,
  seal: EntrySeal,
): Promise<FileContent | string> {
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  let content: FileContent | string = ''
  try {
    content = await unsealFile(to, key, seal)
    return content
  } finally {
    if (typeof content === 'string') await rm(to, { force: true })
  }
}

/**
 * Opens an unsigned entry that lies in a file, without copying or reading it: who does read it has to see by itself
 * whether it is whole.
 * @returns a text that says why it is no entry of this key; then nothing is left open
 * @throws Error of the file system
 */
export async function openContent(
  file: string,
  key: StoreKey,
): Promise<{ readonly descriptor: number; readonly bytes: number } | string> {
  const descriptor = openSync(file, 'r')
  let doubt: string | undefined = ''
  try {
    const bytes = fstatSync(descriptor).size - FOOTER_BYTES
    const end = Buffer.alloc(FOOTER_BYTES)
    const length = bytes < 0 ? 0 : readSync(descriptor, end, 0, FOOTER_BYTES, bytes)
    const footer = decodeFooter(end.subarray(0, length))
    doubt = doubtEntry(footer, key, footer?.digest, openSeal)
    return doubt ?? { descriptor, bytes }
  } finally {
    if (doubt !== undefined) closeSync(descriptor)
  }
}

/** What an entry in a file says of itself, unverified; undefined when it is none. */
export async function readFooter(file: string): Promise<EntryFooter | undefined> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    if (size < FOOTER_BYTES) return undefined
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(FOOTER_BYTES), 0, FOOTER_BYTES, size - FOOTER_BYTES)
    return decodeFooter(buffer.subarray(0, bytesRead))
  } finally {
    await handle.close()
  }
}

/** Digest of the first bytes of a file, read in pieces. */
export async function digestOfFile(file: string, bytes: number): Promise<Digest> {
  const hash = createHash('sha256')
  if (bytes > 0) {
    for await (const chunk of createReadStream(file, { end: bytes - 1, highWaterMark: CHUNK })) hash.update(chunk)
  }
  return toDigest(`sha256:${hash.digest('hex')}`)
}

async function readContent(file: string, key: StoreKey, seal: EntrySeal): Promise<FileContent | string> {
  const bytes = (await stat(file)).size - FOOTER_BYTES
  const footer = await readFooter(file)
  if (footer === undefined) return 'the entry is cut off or not one of ours'
  const digest = await digestOfFile(file, bytes)
  return doubtEntry(footer, key, digest, seal) ?? { bytes, digest }
}
