import type { Digest } from '../base/digest.ts'
import { formatSeconds } from '../base/duration.ts'
import { redact } from '../base/redact.ts'
import { type OutputEntry, outputsDigest } from './output-manifest.ts'
import type { TaskRun } from './run-command.ts'
import type { TaskSpec } from './task.ts'
import type { TaskDeps } from './task-deps.ts'
import type { TaskRecord } from './task-record.ts'
import type { CacheStatus, Kept, TaskResult } from './task-result.ts'

/** A task that ran, with what became of its result. */
export interface RanTask {
  readonly status: CacheStatus
  readonly key: Digest | undefined
  readonly why: string
  readonly task: TaskSpec
  readonly run: TaskRun
  readonly kept: Kept
  readonly outputs: readonly OutputEntry[] | undefined
  readonly warnings: readonly string[]
}

/**
 * The result of a task whose kept files are in place. Shows the log of the run that made it: each line marked, so that
 * nobody takes it for a new run's and the runner takes no line for a command; secrets masked again.
 */
export function hitResult(
  status: 'hit' | 'waited',
  task: TaskSpec,
  record: TaskRecord,
  started: number,
  deps: TaskDeps,
): TaskResult {
  const saved = Math.max(0, record.seconds - (deps.clock.now() - started) / 1000)
  const why = `${madeBy(record)}; saves ${formatSeconds(saved)}`
  const log = record.log.map((line) => redact(line, deps.secrets))
  deps.log(`image-cache: ${task.name}: ${status}, ${why}`)
  for (const line of log) deps.log(`| ${line}`)
  return {
    ...{ status, key: record.key, why, exitCode: 0, values: record.values, log },
    outputsDigest: outputsDigest(record.outputs, record.values),
    runSeconds: record.seconds,
    savedSeconds: saved,
    madeBy: { ...record.origin, madeAt: record.madeAt },
    warnings: [],
  }
}

/** The result of a task that ran; says why its result isn't kept, where that is worth a word. */
export function ranResult({ task, run, kept, outputs, warnings, ...told }: RanTask, deps: TaskDeps): TaskResult {
  const worth =
    kept.kind === 'not-kept' && run.exitCode === 0 && told.key !== undefined && told.status !== 'unavailable'
  const all = [...warnings, ...run.warnings, ...(worth ? [`the result is not kept: ${kept.reason}`] : [])]
  for (const warning of all) deps.log(`image-cache: ${task.name}: ${warning}`)
  return {
    ...told,
    exitCode: run.exitCode,
    values: run.values,
    log: run.log,
    outputsDigest: outputs === undefined ? undefined : outputsDigest(outputs, run.values),
    runSeconds: run.seconds,
    kept,
    warnings: all,
  }
}

function madeBy({ origin, madeAt }: TaskRecord): string {
  const time = new Date(madeAt).toISOString().slice(0, 16).replace('T', ' ')
  const by = origin.run === undefined ? '' : ` by ${origin.run}`
  const commit = origin.commit === undefined ? '' : ` at commit ${origin.commit.slice(0, 12)}`
  return `made on ${time} UTC${by}${commit}`
}
