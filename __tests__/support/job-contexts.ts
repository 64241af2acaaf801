import type { TrustContext } from '../../src/stores/trust-scope.ts'

/** A job that a push to the default branch has started. */
export const PUSH_TO_MAIN: TrustContext = {
  event: 'push',
  ref: 'refs/heads/main',
  baseRef: undefined,
  defaultBranch: 'main',
  fromFork: undefined,
}

/** A job of pull request 7, of the repository's own. @param baseRef the branch that it is to be merged into */
export function pullRequest(baseRef: string): TrustContext {
  return { ...PUSH_TO_MAIN, event: 'pull_request', ref: 'refs/pull/7/merge', baseRef, fromFork: false }
}
