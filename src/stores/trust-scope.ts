import { digestOf, hexOf } from '../base/digest.ts'

/** What decides how far a run is trusted. Outside GitHub Actions `event` is undefined. */
export interface TrustContext {
  /** `GITHUB_EVENT_NAME`. */
  readonly event: string | undefined
  /** `GITHUB_REF`, such as `refs/heads/main` or `refs/pull/7/merge`. */
  readonly ref: string | undefined
  /** `GITHUB_BASE_REF` of a pull request: a branch without `refs/heads/`. */
  readonly baseRef: string | undefined
  /** From the event's payload; `main` where nothing says otherwise. */
  readonly defaultBranch: string
  /** Whether the code that is built comes from another repository; undefined where the event doesn't tell. */
  readonly fromFork: boolean | undefined
}

/** Where a run may write, and whose entries it may believe, the nearest first. */
export interface TrustScope {
  /** A text says why it may write nowhere. */
  readonly writes: { readonly scope: string } | { readonly refused: string }
  readonly reads: readonly string[]
}

/** Events that run with the rights of the default branch on behalf of anybody; GitHub's own cache is read-only there. */
const ON_BEHALF = [
  'pull_request_target',
  'issue_comment',
  'issues',
  'discussion',
  'discussion_comment',
  'fork',
  'watch',
]

/**
 * Finds the scope of a run, after GitHub's rules for its own cache ("Restrictions for accessing a cache"): a branch
 * reads what it and the default branch wrote, a pull request besides what its base branch wrote, and nobody reads what
 * a pull request wrote but itself. Runs that act on behalf of strangers write nowhere.
 */
export function trustScope(context: TrustContext): TrustScope {
  const { event, ref = '', baseRef, fromFork } = context
  const trusted = branchScope(context.defaultBranch)
  if (event === undefined) return { writes: { scope: 'dev' }, reads: ['dev', trusted] }
  if (ON_BEHALF.includes(event))
    return { writes: { refused: `read-only: a run for ${event} acts for others` }, reads: [trusted] }
  if (event === 'workflow_run' && fromFork !== false)
    return { writes: { refused: 'read-only: a run for workflow_run may act for a fork' }, reads: [trusted] }
  const [, pull] = /^refs\/pull\/(\d{1,10})\//.exec(ref) ?? []
  if (pull !== undefined) {
    const own = `pull/${pull}`
    const reads = unique([own, ...(baseRef ? [branchScope(baseRef)] : []), trusted])
    // An event that doesn't tell whether it came from a fork is taken for one that did.
    return {
      writes: fromFork === false ? { scope: own } : { refused: 'read-only: the pull request is from a fork' },
      reads,
    }
  }
  const own = refScope(ref)
  if (own === undefined)
    return { writes: { refused: `read-only: ${quote(ref)} is no branch or tag` }, reads: [trusted] }
  return { writes: { scope: own }, reads: unique([own, trusted]) }
}

function refScope(ref: string): string | undefined {
  const [, queue] = /^refs\/heads\/gh-readonly-queue\/(.+)\/[^/]+$/.exec(ref) ?? []
  // A merge queue builds what isn't merged yet, under a branch of its own for each try.
  if (queue !== undefined) return `queue/${scopeName(queue)}`
  const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? []
  if (name === undefined) return undefined
  return kind === 'tags' ? `tags/${scopeName(name)}` : branchScope(name)
}

function branchScope(branch: string): string {
  return `trusted/${scopeName(branch)}`
}

/** A name as one part of a path: what would mean something there, or to a policy, is replaced and told apart by a digest. */
function scopeName(name: string): string {
  const plain = name
    .replace(/[^a-z0-9._-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 100)
  return plain === name ? name : `${plain}~${hexOf(digestOf(name)).slice(0, 12)}`
}

function unique(scopes: readonly string[]): readonly string[] {
  return [...new Set(scopes)]
}

function quote(text: string): string {
  return JSON.stringify(text)
}
