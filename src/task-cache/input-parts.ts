import { join } from 'node:path'
import { hashedDigest } from '../base/digest.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import { type EntryHash, hashEntries } from '../content/hash-entries.ts'
import { textPart } from './key-parts.ts'
import { selectFiles } from './select-files.ts'
import type { TaskInput, TaskSpec } from './task.ts'
import type { TaskDeps } from './task-deps.ts'
import { type KeyPart, wholeDigest } from './task-key.ts'
import { openStatCache } from './task-stats.ts'

/** The files of a task that belong to its key. */
export interface FileParts {
  readonly inputs: readonly KeyPart[]
  /** Digest of each code file by path. */
  readonly code: ReadonlyMap<string, string>
  /** Patterns that name no file. */
  readonly unmatched: readonly string[]
}

/** An input that can't be read: without it no key is true. */
export class UntrackedInput extends Error {}

/**
 * Hashes the files that a task depends on. Its own outputs are none of its inputs.
 * @throws UntrackedInput when a file can't be read
 */
export async function readFileParts(task: TaskSpec, deps: TaskDeps): Promise<FileParts> {
  try {
    const ignored = [...task.outputs.files, ...globsOf(task.ignoredInputs)]
    const [inputs, code] = await Promise.all([
      selectFiles(deps.root, globsOf(task.inputs), ignored),
      selectFiles(deps.root, task.code),
    ])
    const statCache = await openStatCache(deps)
    const paths = [...new Set([...inputs.paths, ...code.paths])]
    const hashes = await hashEntries(deps.root, paths, 'sha256', { signal: deps.signal, statCache })
    await statCache?.saveSoon()
    const part = (path: string): KeyPart => filePart(path, hashes.get(path))
    return {
      inputs: inputs.paths.map(part),
      code: new Map(code.paths.map((path) => [path, wholeDigest(part(path))])),
      unmatched: [...inputs.unmatched, ...code.unmatched],
    }
  } catch (error) {
    if (deps.signal.aborted) throw cancelled(task, error)
    throw new UntrackedInput(`an input can't be read: ${messageOf(error)}`, { cause: error })
  }
}

function filePart(name: string, file: EntryHash | undefined): KeyPart {
  if (file === undefined) throw new Error(`${name} was not hashed`)
  return { kind: 'input', name, digest: hashedDigest(file.hash), form: `${file.kind} ${file.mode.toString(8)}` }
}

/**
 * Reads the inputs that are no files: variables, what commands print, texts.
 * @throws UntrackedInput when a command fails
 */
export async function readValueParts(task: TaskSpec, deps: TaskDeps): Promise<readonly KeyPart[]> {
  const env = { ...deps.env, ...task.env }
  const set = Object.entries(task.env).map(([name]): TaskInput => ({ kind: 'env', name }))
  const wanted = [...task.inputs, ...set].filter((input) => !isIgnored(input, task.ignoredInputs))
  const parts = await Promise.all(
    wanted.map(async (input): Promise<readonly KeyPart[]> => {
      if (input.kind === 'glob') return []
      if (input.kind === 'value') return [textPart('value', input.name, input.text, deps.secrets)]
      if (input.kind === 'cmd') return [await commandPart(input.command, task, deps)]
      return namesOf(input.name, env)
        .filter((name) => !isIgnored({ kind: 'env', name }, task.ignoredInputs))
        .map((name) => textPart('env', name, env[name], deps.secrets))
    }),
  )
  return [...new Map(parts.flat().map((part) => [`${part.kind} ${part.name} ${part.digest}`, part])).values()]
}

/** The environment of a task: what surrounds it, and what it sets itself. */
export function taskEnvironment(task: TaskSpec, deps: TaskDeps): Readonly<Record<string, string>> {
  const set = Object.entries({ ...deps.env, ...task.env })
  return Object.fromEntries(set.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

function cancelled(task: TaskSpec, cause: unknown): ImageCacheError {
  return new ImageCacheError('E_CANCELLED', `the task ${task.name} was cancelled`, { cause })
}

async function commandPart(command: string, task: TaskSpec, deps: TaskDeps): Promise<KeyPart> {
  const cwd = join(deps.root, task.workingDirectory)
  const run = await deps.exec.run('sh', ['-c', command], { cwd, env: taskEnvironment(task, deps), signal: deps.signal })
  if (run.exitCode !== 0) {
    const ending = run.exitCode === null ? `was ended by ${run.signal}` : `ended with exit code ${run.exitCode}`
    throw new UntrackedInput(`the input cmd: ${command} ${ending}`)
  }
  return textPart('cmd', command, run.stdout.trimEnd(), deps.secrets)
}

function namesOf(name: string, env: Readonly<Record<string, string | undefined>>): readonly string[] {
  if (!name.endsWith('*')) return [name]
  return Object.keys(env).filter((one) => one.startsWith(name.slice(0, -1)) && env[one] !== undefined)
}

function isIgnored(input: TaskInput, ignored: readonly TaskInput[]): boolean {
  return ignored.some((one) => {
    if (one.kind === 'env' && input.kind === 'env') return namesOf(one.name, { [input.name]: '' }).includes(input.name)
    if (one.kind === 'cmd' && input.kind === 'cmd') return one.command === input.command
    return one.kind === 'value' && input.kind === 'value' && one.name === input.name
  })
}

function globsOf(inputs: readonly TaskInput[]): readonly string[] {
  return inputs.flatMap((input) => (input.kind === 'glob' ? [input.pattern] : []))
}
