import { ImageCacheError } from '../base/errors.ts'
import { shellCommand } from './command-shell.ts'
import { patternProblem, tidyPattern } from './file-patterns.ts'
import type { CacheMode, TaskInput, TaskSpec } from './task.ts'
import { parseTaskInput } from './task-input.ts'
import { type PolicyChoice, parsePolicy, versionProblem } from './task-policy.ts'

/** A task as callers give it: what isn't given has a default, inputs and policies may be written as texts. */
export interface TaskDefinition {
  /** Tells tasks apart; part of the key. */
  readonly name: string
  /** A script for the shell, or a program with its arguments. */
  readonly run: string | readonly string[]
  /** `bash` when not given. */
  readonly shell?: string | undefined
  /** The root when not given. */
  readonly workingDirectory?: string | undefined
  /** Variables beside the environment; they belong to the key. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** What the result depends on: `src/**`, `env:NAME`, `cmd: node --version`, `value:text`. */
  readonly inputs?: readonly (string | TaskInput)[] | undefined
  /** Inputs that leave the key and still reach the task. */
  readonly ignoredInputs?: readonly (string | TaskInput)[] | undefined
  /** Files that it makes, as patterns, and names of values that it writes to `$GITHUB_OUTPUT`. */
  readonly outputs?: { readonly files?: readonly string[]; readonly values?: readonly string[] } | undefined
  /** Files that are its own source, as patterns. */
  readonly code?: readonly string[] | undefined
  /** `auto` when not given. */
  readonly cache?: CacheMode | undefined
  /** Another one is another key; needed with `cache: 'override'`, unless policies make one. */
  readonly version?: string | undefined
  /** What makes up the version beside a given one; those of the mode when not given. */
  readonly policies?: readonly (string | PolicyChoice)[] | undefined
  /** Any text; another one makes the key new. */
  readonly salt?: string | undefined
  /** Seconds for which a kept result is used; no limit when not given. */
  readonly maxAge?: number | undefined
  /** Bytes of output files above which a result is not kept; 5 GiB when not given. */
  readonly maxOutputSize?: number | undefined
  /** One process computes, and all others wait for its result; false when not given. */
  readonly serialize?: boolean | undefined
  /** Runs it whatever is kept, and keeps the new result; false when not given. */
  readonly overwrite?: boolean | undefined
  /** Results of different scopes never meet. */
  readonly scope?: string | undefined
  /** Part of the key where the result depends on it: `linux/amd64`. */
  readonly platform?: string | undefined
}

/** Half of what GitHub keeps for a repository. */
const MAX_OUTPUT_SIZE = 5 * 1024 ** 3

/**
 * Completes and checks a task.
 * @throws ImageCacheError E_INPUT with all mistakes at once
 */
export function defineTask(given: TaskDefinition): TaskSpec {
  const problems: string[] = []
  const spec = completeTask(given, problems)
  if (isEmpty(given.run)) problems.push('run is empty: give a script, or a program with its arguments')
  if (typeof given.run === 'string' && shellCommand(spec.shell) === undefined) {
    problems.push(`shell: ${JSON.stringify(spec.shell)} is no shell, nor a command line with {0}`)
  }
  refuse(given.name, problems)
  return spec
}

/**
 * Completes a task and notes what is wrong with it, but for its command.
 * @param problems gets a sentence for each mistake, naming the field and quoting the value
 */
export function completeTask(given: TaskDefinition, problems: string[]): TaskSpec {
  const files = patternsOf('outputs', given.outputs?.files, problems)
  const spec: TaskSpec = {
    name: given.name,
    run: given.run,
    shell: given.shell ?? 'bash',
    workingDirectory: tidyPattern(patternsOf('working-directory', [given.workingDirectory ?? '.'], problems)[0] ?? ''),
    env: given.env ?? {},
    inputs: inputsOf('inputs', given.inputs, problems),
    ignoredInputs: inputsOf('ignored-inputs', given.ignoredInputs, problems),
    outputs: { files, values: given.outputs?.values ?? [] },
    code: patternsOf('code', given.code, problems),
    cache: given.cache ?? 'auto',
    version: given.version,
    policies: given.policies?.flatMap((policy) => policyOf(policy, problems)),
    salt: given.salt ?? '',
    maxAge: given.maxAge,
    maxOutputSize: given.maxOutputSize ?? MAX_OUTPUT_SIZE,
    serialize: given.serialize ?? false,
    overwrite: given.overwrite ?? false,
    scope: given.scope ?? '',
    platform: given.platform,
  }
  if (given.name.trim() === '') problems.push('name is empty')
  const root = files.find((pattern) => !pattern.startsWith('!') && tidyPattern(pattern) === '')
  if (root !== undefined)
    problems.push(`outputs: ${JSON.stringify(root)} is the whole workspace: name what the task makes`)
  const bad = spec.outputs.values.find((name) => !/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name))
  if (bad !== undefined) problems.push(`outputs: ${JSON.stringify(bad)} is no name of a value`)
  if (spec.maxAge !== undefined && !(spec.maxAge > 0)) problems.push(`max-age: ${spec.maxAge} is not above 0`)
  if (!(spec.maxOutputSize > 0)) problems.push(`max-output-size: ${spec.maxOutputSize} is not above 0`)
  const version = versionProblem(spec)
  if (version !== undefined) problems.push(version)
  return spec
}

/** @throws ImageCacheError E_INPUT when there is a problem */
export function refuse(name: string, problems: readonly string[]): void {
  if (problems.length === 0) return
  const what = name.trim() === '' ? 'a task' : `the task ${name}`
  throw new ImageCacheError('E_INPUT', `${what} can't be run: ${problems.join('; ')}`)
}

function patternsOf(field: string, patterns: readonly string[] = [], problems: string[]): readonly string[] {
  for (const pattern of patterns) {
    const problem = patternProblem(pattern)
    if (problem !== undefined) problems.push(`${field}: ${JSON.stringify(pattern)} ${problem}`)
  }
  return patterns
}

function inputsOf(
  field: string,
  given: readonly (string | TaskInput)[] = [],
  problems: string[],
): readonly TaskInput[] {
  const inputs: TaskInput[] = []
  for (const one of given) {
    const input = typeof one === 'string' ? parseTaskInput(one) : one
    if (typeof input === 'string') problems.push(`${field}: ${input}`)
    else inputs.push(input)
  }
  const globs = inputs.flatMap((input) => (input.kind === 'glob' ? [input.pattern] : []))
  patternsOf(field, globs, problems)
  return inputs
}

function policyOf(policy: string | PolicyChoice, problems: string[]): readonly PolicyChoice[] {
  if (typeof policy !== 'string') return [policy]
  const known = parsePolicy(policy)
  if (known !== undefined) return [known]
  problems.push(`policies: ${JSON.stringify(policy)} is not one of command, code, function`)
  return []
}

function isEmpty(run: string | readonly string[]): boolean {
  return typeof run === 'string' ? run.trim() === '' : (run[0] ?? '') === ''
}
