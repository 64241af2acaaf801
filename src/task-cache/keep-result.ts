import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatBytes } from '../base/bytes.ts'
import { messageOf } from '../base/errors.ts'
import { readStats } from '../content/entry-stat.ts'
import { type PastKey, pastKey } from './explain-miss.ts'
import { isLiteral } from './file-patterns.ts'
import { changedMeanwhile, type IdentifiedTask } from './identify-task.ts'
import { encodeHistory } from './key-history.ts'
import { manifestProblem, type OutputEntry, totalSize } from './output-manifest.ts'
import { packOutputs } from './pack-outputs.ts'
import { type OutputStats, readOutputs, statOutputs } from './read-outputs.ts'
import type { TaskRun } from './run-command.ts'
import type { TaskSpec } from './task.ts'
import type { TaskDeps } from './task-deps.ts'
import { entryKey, historyKey } from './task-key.ts'
import type { TaskRecord } from './task-record.ts'
import type { Kept } from './task-result.ts'

/** A run that may be kept, with what was known before it began. */
export interface FreshResult {
  readonly task: TaskSpec
  readonly identified: IdentifiedTask
  readonly run: TaskRun
  /** What lay where the outputs go, before the run. */
  readonly before: OutputStats
  /** Generation under which it is kept. */
  readonly generation: number
  readonly history: readonly PastKey[]
}

export interface KeptResult {
  readonly kept: Kept
  /** Output files as they are now; undefined when they were not read. */
  readonly outputs: readonly OutputEntry[] | undefined
}

/**
 * Keeps what a task has made, if that can be given back as it is. Never fails the task: what stands against it is the
 * answer.
 * @throws ImageCacheError E_CANCELLED
 */
export async function keepResult(fresh: FreshResult, deps: TaskDeps): Promise<KeptResult> {
  const { task, run } = fresh
  if (run.exitCode !== 0) return notKept('failures are not kept')
  try {
    const [sideEffect] = run.sideEffects
    if (sideEffect !== undefined) return notKept(sideEffect)
    const missing = task.outputs.values.find((name) => !(name in run.values))
    if (missing !== undefined) return notKept(`the task did not write the value ${missing}`)
    const changed = await changedMeanwhile(task, fresh.identified, deps)
    if (changed.length > 0) return notKept(`${listed(changed)} changed while the task ran`)
    const after = await statOutputs(deps.root, task.outputs.files)
    const absent = after.selection.unmatched.find(isLiteral)
    if (absent !== undefined) return notKept(`the task did not make ${absent}`)
    const outputs = await readOutputs(deps.root, after, deps.signal)
    if (typeof outputs === 'string') return notKept(outputs)
    const problem = manifestProblem(outputs, task.outputs.files) ?? sizeProblem(outputs, task)
    if (problem !== undefined) return notKept(problem, outputs)
    const old = untouched(fresh.before, after)
    if (old.length > 0) {
      return notKept(`${listed(old)} was there before the task ran and is not of its making`, outputs)
    }
    return { kept: await save(fresh, outputs, after, deps), outputs }
  } catch (error) {
    if (deps.signal.aborted) throw error
    return notKept(messageOf(error))
  }
}

async function save(
  { task, identified, run, generation, history }: FreshResult,
  outputs: readonly OutputEntry[],
  stats: OutputStats,
  deps: TaskDeps,
): Promise<Kept> {
  const { key, parts } = identified
  const madeAt = deps.clock.now()
  const origin = deps.origin ?? {}
  const record: TaskRecord = {
    ...{ key, name: task.name, madeAt, seconds: run.seconds, origin },
    ...{ log: run.log, values: run.values, outputs },
  }
  const file = join(deps.temporary ?? tmpdir(), `image-cache-result-${randomUUID()}`)
  // Others wait for the result, and look for it when the lease ends.
  const later = task.serialize ? undefined : deps.saveLater
  let handedOver = false
  try {
    const bytes = await packOutputs(deps.root, record, file, deps.signal, { plain: deps.store.prefersPlain === true })
    const written = changedFiles(stats, await readStats(deps.root, stats.selection.paths))
    if (written.length > 0) return { kind: 'not-kept', reason: `${listed(written)} changed after the task ended` }
    const archive = { key: entryKey(task, key, generation), file }
    const past = {
      key: historyKey(task, madeAt, randomUUID().slice(0, 8)),
      body: await encodeHistory(pastKey(key, madeAt, origin, parts), history),
    }
    if (later !== undefined) {
      later(archive)
      later(past)
      handedOver = true
      return { kind: 'later', bytes }
    }
    const saved = await deps.store.saveFile(archive.key, file)
    if (saved.kind === 'unavailable') return { kind: 'not-kept', reason: `${deps.store.name} store: ${saved.reason}` }
    // Without it only the explanation of a later miss is poorer.
    if (saved.kind === 'saved') await deps.store.save(past.key, past.body)
    return { kind: 'kept', bytes }
  } finally {
    if (!handedOver) await rm(file, { force: true }).catch(() => undefined)
  }
}

function sizeProblem(outputs: readonly OutputEntry[], { maxOutputSize }: TaskSpec): string | undefined {
  const size = totalSize(outputs)
  if (size <= maxOutputSize) return undefined
  return `the outputs have ${formatBytes(size)}, more than max-output-size: ${formatBytes(maxOutputSize)}`
}

/** Files that the run left as they were: they would be given to others as its work. */
function untouched(before: OutputStats, after: OutputStats): readonly string[] {
  const old = new Map(before.stats.map(({ path, kind, stamp }) => [path, kind === 'file' ? stamp : '']))
  return after.stats
    .filter(({ path, kind, stamp }) => kind === 'file' && old.get(path) === stamp)
    .map(({ path }) => path)
}

function changedFiles(before: OutputStats, after: OutputStats['stats']): readonly string[] {
  const stamps = new Map(before.stats.map(({ path, stamp }) => [path, stamp]))
  return after.filter(({ path, stamp }) => stamps.get(path) !== stamp).map(({ path }) => path)
}

function notKept(reason: string, outputs?: readonly OutputEntry[]): KeptResult {
  return { kept: { kind: 'not-kept', reason }, outputs }
}

function listed(names: readonly string[]): string {
  const [first, second, ...rest] = names
  if (second === undefined) return first ?? ''
  return rest.length === 0 ? `${first} and ${second}` : `${first} and ${names.length - 1} more`
}
