import { isDeepStrictEqual } from 'node:util'
import type { Digest } from '../base/digest.ts'
import { inContext } from './call-context.ts'
import { completeTask, refuse, type TaskDefinition } from './define-task.ts'
import { functionSource } from './function-source.ts'
import type { TaskRun } from './run-command.ts'
import { runThroughCache } from './run-task.ts'
import type { TaskSpec } from './task.ts'
import type { TaskDeps } from './task-deps.ts'
import type { CacheStatus, TaskResult } from './task-result.ts'

/** How a function is cached: as a task, with its arguments among the inputs. */
export interface CachedOptions extends Omit<TaskDefinition, 'name' | 'run' | 'shell' | 'workingDirectory' | 'outputs'> {
  /** The function's own name when not given. */
  readonly name?: string
  /** Parameters that leave the key and still reach the function. */
  readonly ignoredArguments?: readonly string[]
  /** Files that the function writes, as patterns. */
  readonly outputs?: readonly string[]
}

/** A call that is done. */
export interface CachedCall<Result> {
  /** What the function gave, now or when it was kept. */
  readonly value: Result
  readonly cacheStatus: CacheStatus
  /** Undefined where the call can't be kept. */
  readonly key: Digest | undefined
  /** One sentence: what differs from the last time, or who made the value. */
  readonly why: string
  /** The call as a task. */
  readonly task: TaskResult
}

/** A function that isn't run again for what it has done. */
export interface CachedFunction<Args extends readonly unknown[], Result> {
  (...args: Args): Promise<Awaited<Result>>
  /** The same, and how the value came about. */
  detailed(...args: Args): Promise<CachedCall<Awaited<Result>>>
}

/** Name of the value that holds a function's result. */
const RESULT = 'result'
/** Stands for undefined, which JSON has no word for. */
const NOTHING = 'undefined'

/**
 * Wraps a function: a call with the same arguments, source and inputs brings back its value, a copy by JSON, and its
 * files. Arguments and values that JSON can't hold are not kept. What it throws is thrown, and never kept.
 * @param depsOf asked at each call for the world that it runs in
 * @throws ImageCacheError E_INPUT at once when the options contradict each other
 */
export function cachedFunction<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  options: CachedOptions,
  depsOf: () => TaskDeps,
): CachedFunction<Args, Result> {
  const task = functionTask(fn.name, options)
  const detailed = (...args: Args): Promise<CachedCall<Awaited<Result>>> =>
    call(fn, args, task, options.ignoredArguments ?? [], depsOf())
  const plain = async (...args: Args): Promise<Awaited<Result>> => (await detailed(...args)).value
  return Object.assign(plain, { detailed })
}

function functionTask(ownName: string, { name = ownName, outputs = [], ...options }: CachedOptions): TaskSpec {
  const problems: string[] = []
  const isAuto = (options.cache ?? 'auto') === 'auto'
  const task = completeTask(
    {
      ...options,
      name,
      run: [],
      shell: '',
      outputs: { files: outputs, values: [RESULT] },
      policies: options.policies ?? (isAuto ? ['function', 'code'] : undefined),
    },
    problems,
  )
  refuse(name, problems)
  return task
}

async function call<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  args: Args,
  task: TaskSpec,
  ignored: readonly string[],
  deps: TaskDeps,
): Promise<CachedCall<Awaited<Result>>> {
  const source = await functionSource(fn)
  const named = namedArguments(args, source?.parameters ?? [], ignored)
  const usesSource = task.policies?.includes('function') === true
  const problem = named === undefined ? 'an argument is no plain JSON' : undefined
  const untracked = problem ?? (usesSource && source === undefined ? 'the function has no source to read' : undefined)

  let made: { readonly value: Awaited<Result> } | undefined
  const run = async (status: CacheStatus, key: Digest | undefined): Promise<TaskRun> => {
    const start = deps.clock.now()
    const context = { name: task.name, cacheStatus: status, key }
    const value = await inContext(context, () => fn(...args))
    made = { value }
    return functionRun(value, (deps.clock.now() - start) / 1000)
  }
  const result = await runThroughCache(
    task,
    {
      run,
      called: {
        source: source?.tree,
        arguments: named ?? new Map(),
        ...(untracked === undefined ? {} : { untracked }),
      },
    },
    deps,
  )
  // Only this function's own value is kept under its key.
  const kept: Awaited<Result> = made === undefined ? fromJson(result.values[RESULT] ?? NOTHING) : made.value
  return { value: kept, cacheStatus: result.status, key: result.key, why: result.why, task: result }
}

function functionRun(value: unknown, seconds: number): TaskRun {
  const json = plainJson(value)
  const sideEffects = json === undefined ? ['the value is no plain JSON'] : []
  const values: Readonly<Record<string, string>> = json === undefined ? {} : { [RESULT]: json }
  return { exitCode: 0, values, log: [], seconds, sideEffects, warnings: [] }
}

/** Arguments by the names of their parameters; undefined when one of them is no plain JSON. */
function namedArguments(
  args: readonly unknown[],
  parameters: readonly string[],
  ignored: readonly string[],
): ReadonlyMap<string, string> | undefined {
  const named = new Map<string, string>()
  for (const [index, value] of args.entries()) {
    const name = parameters[index] ?? `argument ${index + 1}`
    if (ignored.includes(name)) continue
    const json = plainJson(value)
    if (json === undefined) return undefined
    named.set(name, json)
  }
  return named
}

/** JSON that gives back just this value, fields in the order of their names; undefined when there is none. */
function plainJson(value: unknown): string | undefined {
  if (value === undefined) return NOTHING
  const json: string | undefined = JSON.stringify(value, (_, field: unknown) => sortedFields(field))
  return json !== undefined && isDeepStrictEqual(JSON.parse(json), value) ? json : undefined
}

function fromJson(text: string): ReturnType<typeof JSON.parse> {
  return text === NOTHING ? undefined : JSON.parse(text)
}

function sortedFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
