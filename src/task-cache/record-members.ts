import { hash } from 'node:crypto'
import { BrokenEntry } from './archive-source.ts'
import { decodeRecord, type TaskRecord } from './task-record.ts'

/** Names of an archive's first two members: the record, and its digest as `sha256sum --check` reads it. */
export const RECORD_NAME = 'task.json'
export const RECORD_DIGEST_NAME = 'task.json.sha256'
/** A record with the longest log and a million outputs stays below. */
export const LARGEST_RECORD = 256 * 1024 * 1024

/** Content of the member that makes sure of the record, as the record makes sure of all else. */
export function recordDigest(record: Uint8Array): Buffer {
  return Buffer.from(`${hash('sha256', record, 'hex')}  ${RECORD_NAME}\n`)
}

/** @throws BrokenEntry when it isn't the record that was written */
export function readRecord(body: Uint8Array, digest: Uint8Array | undefined): TaskRecord {
  const record = decodeRecord(body)
  if (record === undefined) throw new BrokenEntry('its record is not readable')
  if (digest === undefined || !recordDigest(body).equals(digest)) throw new BrokenEntry('its record was changed')
  return record
}
