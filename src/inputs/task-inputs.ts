import { parseBytes } from '../base/bytes.ts'
import { parseDuration } from '../base/duration.ts'
import type { StoreSetting } from '../stores/store-setting.ts'
import { CACHE_MODE_WORDS, parseCacheMode } from '../task-cache/cache-mode.ts'
import { patternProblem } from '../task-cache/file-patterns.ts'
import type { CacheMode, TaskInput, TaskOutputs, TaskSpec } from '../task-cache/task.ts'
import { parseTaskInput } from '../task-cache/task-input.ts'
import { POLICY_WORDS, type PolicyChoice, parsePolicy, versionProblem } from '../task-cache/task-policy.ts'
import { InputReader, inputError, type ReadInput } from './input-reader.ts'
import { isRefreshed, NO_REFRESH, type RefreshRequest } from './refresh-request.ts'
import { readStore } from './store-input.ts'
import type { TaskDefaults } from './task-defaults.ts'
import { TASK_INPUTS } from './task-input-list.ts'

/** Everything that the task action and `image-cache task` take, checked. */
export interface TaskInputs {
  readonly spec: TaskSpec
  readonly store: StoreSetting
  /** Seconds to wait for another job that runs the same task. */
  readonly waitLimit: number
}

/** Inputs of a task, or everything that is wrong with them. */
export type ParsedTask =
  | { readonly kind: 'parsed'; readonly inputs: TaskInputs }
  | { readonly kind: 'wrong'; readonly mistakes: readonly string[] }

/** What a task takes from the run that it is part of. */
export interface TaskSurroundings {
  readonly defaults?: TaskDefaults
  /** `os/architecture` of this machine, for `platform: native`. */
  readonly nativePlatform?: string
  /** Who shares results when the task doesn't say: the repository. */
  readonly scope?: string
  readonly refresh?: RefreshRequest
}

export interface ParseTaskOptions extends TaskSurroundings {
  /** Program and arguments in the place of the script `run`. */
  readonly argv?: readonly string[]
  /** How a message calls an input. */
  readonly label?: (name: string) => string
}

/** The one parser of a task, whichever way it is described. */
export function parseTaskInputs(read: ReadInput, options: ParseTaskOptions = {}): ParsedTask {
  const { defaults = new Map<string, string>(), argv = [], nativePlatform = 'native', label } = options
  const { scope = '', refresh = NO_REFRESH } = options
  const reader = new InputReader((name) => effectiveText(name, read, defaults), label)
  const platform = reader.text('platform') ?? 'any'
  const name = taskName(reader)
  const spec: TaskSpec = {
    name,
    run: script(reader, argv),
    shell: reader.text('shell') ?? 'bash',
    workingDirectory: path(reader, 'working-directory') ?? '.',
    env: Object.fromEntries(reader.pairs('env')),
    inputs: taskInputs(reader, 'inputs'),
    ignoredInputs: taskInputs(reader, 'ignored-inputs'),
    outputs: outputs(reader),
    code: patterns(reader, 'code', reader.lines('code')),
    cache: cacheMode(reader),
    version: reader.text('version'),
    policies: policies(reader),
    salt: reader.text('salt') ?? '',
    maxAge: seconds(reader, 'max-age'),
    maxOutputSize: size(reader, 'max-output-size'),
    serialize: reader.flag('serialize'),
    overwrite: reader.flag('overwrite') || isRefreshed(refresh, name),
    scope: reader.text('scope') ?? scope,
    platform: platform === 'any' ? undefined : platform === 'native' ? nativePlatform : platform,
  }
  const problem = versionProblem(spec)
  if (problem !== undefined) reader.mistake('version', spec.version ?? '', `does not do: ${problem}`)
  const inputs = {
    spec,
    store: readStore(reader),
    waitLimit: seconds(reader, 'wait-limit') ?? 0,
  }
  const mistakes = reader.mistakes()
  return mistakes.length > 0 ? { kind: 'wrong', mistakes } : { kind: 'parsed', inputs }
}

/** @throws ImageCacheError E_INPUT with everything that is wrong with the task */
export function expectTask(parsed: ParsedTask): TaskInputs {
  if (parsed.kind === 'parsed') return parsed.inputs
  throw inputError(parsed.mistakes, 'The inputs are described in docs/task-cache.md, under "Inputs".')
}

/** A task's own value, what its workflow says, or what holds everywhere. */
function effectiveText(name: string, read: ReadInput, defaults: TaskDefaults): string {
  const own = read(name)
  const input = TASK_INPUTS.find((one) => one.name === name)
  const inherited = input?.inherits === 'no' ? '' : (defaults.get(name) ?? '')
  if (input?.inherits === 'added') return `${inherited}\n${own}`
  return own.trim() === '' ? inherited || (input?.fallback ?? '') : own
}

function taskName(reader: InputReader): string {
  const name = reader.text('name') ?? ''
  if (name === '') reader.mistake('name', name, 'is empty, but what a task did before is found by its name')
  else if (name.length > 200 || /\p{Cc}/u.test(name)) reader.mistake('name', name, 'is no name of one line')
  return name
}

function script(reader: InputReader, argv: readonly string[]): string | readonly string[] {
  const run = reader.text('run') ?? ''
  if (argv.length === 0 && run === '') reader.mistake('run', run, 'is empty: there is nothing to run')
  if (argv.length > 0 && run !== '') reader.mistake('run', run, 'is given, and a command after -- as well')
  return argv.length > 0 ? argv : run
}

function taskInputs(reader: InputReader, name: 'inputs' | 'ignored-inputs'): readonly TaskInput[] {
  return reader.lines(name).flatMap((line) => {
    const input = parseTaskInput(line)
    const problem =
      typeof input === 'string' ? input : input.kind === 'glob' ? patternProblem(input.pattern) : undefined
    if (problem !== undefined) reader.mistake(name, line, problem)
    return typeof input === 'string' ? [] : [input]
  })
}

/** `value:NAME` names a value, everything else files. */
function outputs(reader: InputReader): TaskOutputs {
  const lines = reader.lines('outputs')
  const values = lines.flatMap((line) => /^value:(.*)$/.exec(line)?.[1]?.trim() ?? [])
  for (const value of values) {
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(value)) reader.mistake('outputs', `value:${value}`, 'names no value')
    if (['cache-status', 'key', 'why'].includes(value)) {
      reader.mistake('outputs', `value:${value}`, "is one of the action's own outputs")
    }
  }
  const files = lines.filter((line) => !line.startsWith('value:'))
  return { files: patterns(reader, 'outputs', files), values }
}

function patterns(reader: InputReader, name: string, lines: readonly string[]): readonly string[] {
  for (const line of lines) {
    const problem = patternProblem(line)
    if (problem !== undefined) reader.mistake(name, line, problem)
  }
  return lines
}

function path(reader: InputReader, name: string): string | undefined {
  const text = reader.text(name)
  if (text !== undefined) patterns(reader, name, [text])
  return text
}

function cacheMode(reader: InputReader): CacheMode {
  const text = reader.text('cache') ?? ''
  const mode = parseCacheMode(text)
  if (mode === undefined) reader.mistake('cache', text, `is not one of ${CACHE_MODE_WORDS.join(', ')}`)
  return mode ?? 'auto'
}

/** `none` stands for an empty list, which an input can't tell from a list that isn't given. */
function policies(reader: InputReader): readonly PolicyChoice[] | undefined {
  const words = reader.list('policies')
  if (words.length === 0) return undefined
  return words.flatMap((word) => {
    const policy = parsePolicy(word)
    if (policy === undefined && word !== 'none') {
      reader.mistake('policies', word, `is not one of ${[...POLICY_WORDS, 'none'].join(', ')}`)
    }
    return policy ?? []
  })
}

function seconds(reader: InputReader, name: string): number | undefined {
  const text = reader.text(name)
  if (text === undefined) return undefined
  const parsed = parseDuration(text)
  if (parsed === undefined) reader.mistake(name, text, 'is not a duration such as 90s, 15m, 12h, 30d')
  return parsed
}

function size(reader: InputReader, name: string): number {
  const text = reader.text(name) ?? ''
  const parsed = parseBytes(text)
  if (parsed === undefined) reader.mistake(name, text, 'is not a size such as 500MB, 5GB')
  return parsed ?? 0
}
