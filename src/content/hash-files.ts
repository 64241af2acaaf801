import { type Digest, hashedDigest } from '../base/digest.ts'
import type { EntryKind } from './entry-stat.ts'
import { type HashOptions, hashEntries } from './hash-entries.ts'

export interface FileHash {
  /** `special` is a pipe, a socket or a device, which is never read. */
  readonly kind: EntryKind
  /** Permission bits with set-id and sticky bits; 0 for links. */
  readonly mode: number
  /** Of a file's bytes, or of a link's target. */
  readonly digest: Digest
}

/**
 * Hashes files, links and folders of a tree by content; times and owners are no part of it. Large work is spread over
 * all cores. Links are not followed, folders not entered.
 * @param root absolute path
 * @param paths relative to it, `/` between parts
 * @returns in the order of `paths`
 * @throws Error of the file system when an entry isn't there or can't be read; what `signal` was aborted with
 */
export async function hashFiles(
  root: string,
  paths: readonly string[],
  options: HashOptions = {},
): Promise<ReadonlyMap<string, FileHash>> {
  const entries = await hashEntries(root, paths, 'sha256', options)
  return new Map([...entries].map(([path, { kind, mode, hash }]) => [path, { kind, mode, digest: hashedDigest(hash) }]))
}
