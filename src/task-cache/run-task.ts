import type { Digest } from '../base/digest.ts'
import { explainMiss } from './explain-miss.ts'
import { newestGeneration, restoreEntry } from './find-entry.ts'
import { type FunctionIdentity, identifyTask } from './identify-task.ts'
import { keepResult } from './keep-result.ts'
import { fetchHistory } from './key-history.ts'
import { acquireLease } from './lease.ts'
import type { OutputEntry } from './output-manifest.ts'
import { readOutputs, statOutputs } from './read-outputs.ts'
import { runCommand, type TaskRun } from './run-command.ts'
import type { TaskSpec } from './task.ts'
import type { TaskDeps } from './task-deps.ts'
import type { CacheStatus, TaskResult } from './task-result.ts'
import { hitResult, ranResult } from './tell-result.ts'
import { undeclaredImports } from './undeclared-imports.ts'

/** What a task does when its result isn't kept: a command, or a function of a program. */
export interface TaskWork {
  run(status: CacheStatus, key: Digest | undefined): Promise<TaskRun>
  /** How the key sees a function; undefined for a command. */
  readonly called?: FunctionIdentity
}

/**
 * Runs a task's command, or brings back what it made when nothing that it depends on was different.
 * @throws ImageCacheError E_BUILDER when its program isn't there, E_CANCELLED; never for a trouble of the cache
 */
export function runTask(task: TaskSpec, deps: TaskDeps): Promise<TaskResult> {
  return runThroughCache(task, { run: () => runCommand(task, deps) }, deps)
}

/** The line of a task: key, look-up, turn, run, keep. */
export async function runThroughCache(task: TaskSpec, work: TaskWork, deps: TaskDeps): Promise<TaskResult> {
  const started = deps.clock.now()
  if (task.cache === 'disable')
    return runUncached('disabled', 'the cache of this task is switched off', task, work, deps)
  const identified = await identifyTask(task, deps, work.called)
  if (identified.kind === 'untracked') return runUncached('unavailable', identified.reason, task, work, deps)
  const { key } = identified

  const found = await findResult(task, key, deps)
  if (found.kind === 'unavailable') return runUncached('unavailable', found.reason, task, work, deps, key)
  if (found.kind === 'hit') return hitResult('hit', task, found.record, started, deps)

  const history = await fetchHistory(deps.store, task)
  const turn = await takeTurn(task, key, found.generation, deps)
  try {
    if (turn.kind === 'done') {
      const other = await restoreEntry(task, key, deps)
      if (other.kind === 'hit') return hitResult('waited', task, other.record, started, deps)
    }
    const why = sentence([found.reason ?? explainMiss(key, identified.parts, history), turn.note])
    deps.log(`image-cache: ${task.name}: ${turn.status}, ${why}`)
    const before = await statOutputs(deps.root, task.outputs.files)
    const run = await work.run(turn.status, key)
    const { kept, outputs } = await keepResult(
      { task, identified, run, before, generation: found.generation + 1, history },
      deps,
    )
    const warnings = [
      ...unmatchedWarnings(identified.files.unmatched),
      ...(await undeclaredImports(deps.root, identified)),
    ]
    const made = outputs ?? (await outputsNow(task, run, deps))
    return ranResult({ status: turn.status, key, why, task, run, kept, outputs: made, warnings }, deps)
  } finally {
    await turn.release()
  }
}

async function findResult(task: TaskSpec, key: Digest, deps: TaskDeps): ReturnType<typeof restoreEntry> {
  if (!task.overwrite) return restoreEntry(task, key, deps)
  return { kind: 'miss', generation: await newestGeneration(task, key, deps), reason: 'asked to run anew' }
}

interface Turn {
  readonly kind: 'run' | 'done'
  readonly status: CacheStatus
  /** What the report should say beside the reason of the miss. */
  readonly note: string | undefined
  release(): Promise<void>
}

/** Waits for others that compute the same, when the task asks for it. */
async function takeTurn(task: TaskSpec, key: Digest, generation: number, deps: TaskDeps): Promise<Turn> {
  const status: CacheStatus = task.overwrite ? 'overwritten' : 'miss'
  const free: Turn = { kind: 'run', status, note: undefined, release: async () => undefined }
  if (!task.serialize) return free
  const { store, clock, owner, signal, waitLimit = 3600, heartbeat = 15 } = deps
  const isDone = async (): Promise<boolean> => (await newestGeneration(task, key, deps)) > generation
  const onWait = (other: string): void =>
    deps.log(`image-cache: ${task.name}: waits for ${other}, which computes the same`)
  const lease = await acquireLease(key, isDone, {
    ...{ store, clock, owner, signal, waitLimit, heartbeat, onWait },
    salt: task.salt,
  })
  if (lease.kind === 'done') return { ...free, kind: 'done', note: 'the result of another process is of no use' }
  if (lease.kind === 'unshared') return { ...free, note: lease.reason }
  return { ...free, status: lease.takenOver ? 'taken-over' : status, release: () => lease.release() }
}

async function runUncached(
  status: CacheStatus,
  why: string,
  task: TaskSpec,
  work: TaskWork,
  deps: TaskDeps,
  key?: Digest,
): Promise<TaskResult> {
  deps.log(`image-cache: ${task.name}: ${status}, ${why}`)
  const run = await work.run(status, key)
  const kept = { kind: 'not-kept', reason: why } as const
  const outputs = await outputsNow(task, run, deps)
  return ranResult({ status, key, why, task, run, kept, outputs, warnings: [] }, deps)
}

/** Outputs of a run that isn't kept: tasks that build upon them still depend on their content. */
async function outputsNow(task: TaskSpec, run: TaskRun, deps: TaskDeps): Promise<readonly OutputEntry[] | undefined> {
  if (run.exitCode !== 0) return undefined
  try {
    const outputs = await readOutputs(deps.root, await statOutputs(deps.root, task.outputs.files), deps.signal)
    return typeof outputs === 'string' ? undefined : outputs
  } catch (error) {
    if (deps.signal.aborted) throw error
    return undefined
  }
}

function unmatchedWarnings(patterns: readonly string[]): readonly string[] {
  return patterns.map((pattern) => `the input ${pattern} names no file`)
}

function sentence(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('; ')
}
