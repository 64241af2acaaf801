import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { TaskRecord } from './task-record.ts'

/** An archive in an open file, which may hold more behind it. Whoever opens the entry in it closes the file. */
export interface ArchiveSource {
  readonly descriptor: number
  /** Length of the archive. */
  readonly bytes: number
}

/** An archive whose record has been read. */
export interface OpenedEntry {
  readonly record: TaskRecord
  /**
   * Writes the outputs, each compared with its digest.
   * @param placeOf full path for the path of an output; nothing lies there, nor where folders have to be made for it
   * @throws BrokenEntry when one differs or is missing; Error of the file system
   */
  unpack(placeOf: (path: string) => string): Promise<void>
  /** Lets go of the file. */
  close(): void
}

/** An archive that is not as it was written. */
export class BrokenEntry extends Error {}

/** A whole file as an archive. @throws Error of the file system */
export function archiveIn(file: string): ArchiveSource {
  const descriptor = openSync(file, 'r')
  try {
    return { descriptor, bytes: fstatSync(descriptor).size }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** Whether it begins as zstd does (RFC 8878, section 3.1.1). */
export function isCompressed({ descriptor }: ArchiveSource): boolean {
  const start = Buffer.alloc(4)
  return readSync(descriptor, start, 0, 4, 0) === 4 && start.readUInt32LE() === 0xfd2fb528
}
