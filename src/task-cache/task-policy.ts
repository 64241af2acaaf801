import type { TaskSpec } from './task.ts'

/** What a policy may look at. */
export interface PolicyParams {
  readonly name: string
  readonly run: string | readonly string[]
  readonly shell: string
  /** Digest of each declared code file, by path. */
  readonly code: ReadonlyMap<string, string>
  /** Normalised source of a function; undefined for a command. */
  readonly source: string | undefined
}

/** A part of a task's version. */
export interface TaskPolicy {
  /** Tells policies apart; part of the key. */
  readonly name: string
  /** Any text: when it changes, so does the version. */
  getVersion(question: { readonly salt: string; readonly params: PolicyParams }): string | Promise<string>
}

/**
 * A policy, or the name of one of ours. `command`: script and shell; `code`: the declared code files; `function`: a
 * function's own source, comments and white space aside.
 */
export type PolicyChoice = 'command' | 'code' | 'function' | TaskPolicy

/** Names that may be written for policies. */
export const POLICY_WORDS = ['command', 'code', 'function'] as const

/** Reads the name of a policy; undefined when there is none of this name. */
export function parsePolicy(text: string): 'command' | 'code' | 'function' | undefined {
  return POLICY_WORDS.find((word) => word === text.trim().toLowerCase())
}

/** The policies that hold for a task: those given, else the mode's own. */
export function policiesOf({ cache, policies }: Pick<TaskSpec, 'cache' | 'policies'>): readonly PolicyChoice[] {
  return policies ?? (cache === 'auto' ? ['command', 'code'] : [])
}

/**
 * Why a task has no version, as a sentence; undefined when it has one. A cache that is on without a version would
 * answer with results of other code.
 */
export function versionProblem(task: Pick<TaskSpec, 'cache' | 'policies' | 'version'>): string | undefined {
  if (task.cache === 'disable' || (task.version ?? '') !== '') return undefined
  if (task.version === '') return 'version is empty: leave it out, or give a text'
  if (task.cache === 'override' && policiesOf(task).length === 0) {
    return 'cache: override needs a version, or policies that make one'
  }
  return policiesOf(task).length === 0
    ? 'policies is empty and no version is given: nothing tells versions apart'
    : undefined
}
