import { readFileSync } from 'node:fs'
import type { TrustContext } from './trust-scope.ts'

/** Reads what decides about trust from a job's environment and the event's payload, which may be missing. */
export function readTrustContext(env: Readonly<Record<string, string | undefined>>): TrustContext {
  const inJob = env.GITHUB_ACTIONS === 'true'
  const payload = inJob ? readPayload(env.GITHUB_EVENT_PATH) : undefined
  return {
    event: inJob ? env.GITHUB_EVENT_NAME || 'unknown' : undefined,
    ref: env.GITHUB_REF || undefined,
    baseRef: env.GITHUB_BASE_REF || undefined,
    defaultBranch: text(payload, 'repository', 'default_branch') ?? 'main',
    fromFork: isFromFork(env, payload),
  }
}

/** Undefined when the payload doesn't name the repository of the head. */
function isFromFork(env: Readonly<Record<string, string | undefined>>, payload: unknown): boolean | undefined {
  const head =
    text(payload, 'pull_request', 'head', 'repo', 'full_name') ??
    text(payload, 'workflow_run', 'head_repository', 'full_name')
  return head === undefined ? undefined : head !== env.GITHUB_REPOSITORY
}

function readPayload(path: string | undefined): unknown {
  if (!path) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function text(value: unknown, ...path: readonly string[]): string | undefined {
  let at = value
  for (const name of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined
  return typeof at === 'string' && at !== '' ? at : undefined
}
