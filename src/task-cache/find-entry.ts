import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { formatSeconds } from '../base/duration.ts'
import { messageOf } from '../base/errors.ts'
import type { OpenFile } from '../stores/store.ts'
import { type ArchiveSource, archiveIn } from './archive-source.ts'
import { restoreOutputs } from './restore-outputs.ts'
import type { TaskSpec } from './task.ts'
import type { TaskDeps } from './task-deps.ts'
import { entryPrefix, generationOf } from './task-key.ts'
import type { TaskRecord } from './task-record.ts'
import { openEntry } from './unpack-outputs.ts'

/** Answer to the question for a kept result. */
export type FoundEntry =
  /** The result is there, and its files are in the workspace. */
  | { readonly kind: 'hit'; readonly record: TaskRecord }
  /** Nothing is there that can be used; `generation` is that of the entry that is of no use, -1 for none. */
  | { readonly kind: 'miss'; readonly generation: number; readonly reason: string | undefined }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** Two machines of one CI may differ by a few seconds. */
const CLOCK_SKEW = 60_000

/**
 * The generation of the newest result of a key, without fetching it: one request.
 * @returns -1 when there is none, or nobody can tell
 */
export async function newestGeneration(
  task: TaskSpec,
  key: Digest,
  { store }: Pick<TaskDeps, 'store'>,
): Promise<number> {
  const answer = await store.lookUp(entryPrefix(task, key))
  return answer.kind === 'hit' ? (generationOf(answer.key) ?? -1) : -1
}

/**
 * Fetches the result of a key and puts its files into the workspace. An entry that is broken, unfit or too old is a
 * miss with a reason, and leaves the workspace as it was.
 */
export async function restoreEntry(task: TaskSpec, key: Digest, deps: TaskDeps): Promise<FoundEntry> {
  const answer = await openNewest(entryPrefix(task, key), deps)
  if (answer.kind === 'unavailable')
    return { kind: 'unavailable', reason: `${deps.store.name} store: ${answer.reason}` }
  if (answer.kind === 'miss') return { kind: 'miss', generation: -1, reason: answer.reason }
  const generation = generationOf(answer.key) ?? -1
  const used = await useEntry(answer, task, key, deps)
  return typeof used === 'string' ? { kind: 'miss', generation, reason: used } : { kind: 'hit', record: used }
}

/** Opens an entry where it lies, or a copy that goes when it is closed. */
async function openNewest(prefix: string, { store, temporary = tmpdir() }: TaskDeps): Promise<OpenFile> {
  if (store.openFile !== undefined) return store.openFile(prefix)
  const file = join(temporary, `image-cache-entry-${randomUUID()}`)
  try {
    const answer = await store.fetchFile(prefix, file)
    return answer.kind === 'hit' ? { kind: 'hit', key: answer.key, ...archiveIn(file) } : answer
  } finally {
    await rm(file, { force: true }).catch(() => undefined)
  }
}

/** Restores from an archive, and closes it. @returns its record, or why it is of no use. */
async function useEntry(
  source: ArchiveSource,
  task: TaskSpec,
  key: Digest,
  deps: TaskDeps,
): Promise<TaskRecord | string> {
  try {
    const entry = await openEntry(source, deps.signal)
    try {
      const problem = recordProblem(entry.record, task, key, deps.clock.now())
      if (problem !== undefined) return problem
      await restoreOutputs(entry, task, deps)
      return entry.record
    } finally {
      entry.close()
    }
  } catch (error) {
    if (deps.signal.aborted) throw error
    return `the kept result is of no use: ${messageOf(error)}`
  }
}

function recordProblem(record: TaskRecord, task: TaskSpec, key: Digest, now: number): string | undefined {
  if (record.key !== key || record.name !== task.name) return 'the kept result belongs to another task'
  const lost = Object.keys(record.values).find((name) => !task.outputs.values.includes(name))
  if (lost !== undefined) return `the kept result holds the value ${lost}, which is not declared`
  if (task.maxAge === undefined) return undefined
  const age = now - record.madeAt
  // A wrong clock must not make a result eternal.
  if (age < -CLOCK_SKEW) return 'the kept result claims to be from the future'
  return age <= task.maxAge * 1000 ? undefined : `the kept result is older than ${formatSeconds(task.maxAge)}`
}
