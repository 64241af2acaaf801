import type { Digest } from '../base/digest.ts'
import { messageOf } from '../base/errors.ts'
import { type FileParts, readFileParts, readValueParts, UntrackedInput } from './input-parts.ts'
import { interfacePart, textPart, versionParts } from './key-parts.ts'
import type { TaskSpec } from './task.ts'
import type { TaskDeps } from './task-deps.ts'
import { type KeyPart, taskKey } from './task-key.ts'

/** A task whose key is known. */
export interface IdentifiedTask {
  readonly kind: 'identified'
  readonly key: Digest
  readonly parts: readonly KeyPart[]
  readonly files: FileParts
}

/** A task whose key can't be known, so that nothing is kept of it. */
export interface UntrackedTask {
  readonly kind: 'untracked'
  readonly reason: string
}

/** A function instead of a command, as the key sees it. */
export interface FunctionIdentity {
  /** Normalised source; undefined where it can't be had. */
  readonly source: string | undefined
  /** Arguments that count, by name, as JSON. */
  readonly arguments: ReadonlyMap<string, string>
  /** Why no key can be made of it, when that is so. */
  readonly untracked?: string
}

/**
 * Reads all that a task depends on and makes its key.
 * @throws ImageCacheError E_CANCELLED; what a policy of the task throws
 */
export async function identifyTask(
  task: TaskSpec,
  deps: TaskDeps,
  called?: FunctionIdentity,
): Promise<IdentifiedTask | UntrackedTask> {
  if (called?.untracked !== undefined) return { kind: 'untracked', reason: called.untracked }
  try {
    const [files, values] = await Promise.all([readFileParts(task, deps), readValueParts(task, deps)])
    const { name, run, shell } = task
    const version = await versionParts(task, { name, run, shell, code: files.code, source: called?.source })
    const parts: readonly KeyPart[] = [
      ...files.inputs,
      ...values,
      ...[...(called?.arguments ?? [])].map(([argument, json]) => textPart('argument', argument, json, deps.secrets)),
      ...version,
      interfacePart(task),
      textPart('working-directory', '', task.workingDirectory),
      ...(task.platform === undefined ? [] : [textPart('platform', '', task.platform)]),
    ]
    return { kind: 'identified', key: taskKey(task, parts), parts, files }
  } catch (error) {
    if (error instanceof UntrackedInput) return { kind: 'untracked', reason: messageOf(error) }
    throw error
  }
}

/**
 * Which files changed since a task was identified, named: what it made may come from a mixture of old and new.
 * @throws ImageCacheError E_CANCELLED
 */
export async function changedMeanwhile(
  task: TaskSpec,
  { files }: IdentifiedTask,
  deps: TaskDeps,
): Promise<readonly string[]> {
  const now = await readFileParts(task, deps).catch((error: unknown) => {
    if (error instanceof UntrackedInput) return undefined
    throw error
  })
  if (now === undefined) return ['an input that can no longer be read']
  const [before, after] = [digestsOf(files), digestsOf(now)]
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort()
}

function digestsOf({ inputs, code }: FileParts): ReadonlyMap<string, string> {
  return new Map([...inputs.map(({ name, digest, form }) => [name, `${form} ${digest}`] as const), ...code])
}
