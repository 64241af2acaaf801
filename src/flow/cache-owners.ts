import type { CacheOwners } from '../buildx/cache-defaults.ts'
import type { CacheWrite } from '../inputs/build-inputs.ts'
import { type TrustContext, trustScope } from '../stores/trust-scope.ts'
import { shortened } from './cache-scope.ts'

/** Characters that an owner may add to a tag of at most 128 (distribution spec, "Pulling manifests"). */
const LONGEST = 48

/**
 * Whose caches beside the image a run reads and writes. A branch reads its own and the default branch's, a pull request
 * its base branch's, too; nobody reads what a pull request wrote but itself, and each writes its own alone. Outside
 * GitHub there is one cache.
 */
export function cacheOwners(context: TrustContext, write: CacheWrite): CacheOwners {
  const shared = ''
  if (context.event === undefined) {
    return write === 'off' ? { writes: undefined, refused: OFF, reads: [shared] } : only(shared)
  }
  const { writes, reads } = trustScope(context)
  const [trusted] = trustScope({ ...context, event: 'push', ref: `refs/heads/${context.defaultBranch}` }).reads
  const owner = (scope: string): string => (scope === trusted ? shared : tagPart(scope))
  const read = reads.map(owner)
  if (write === 'off') return { writes: undefined, refused: OFF, reads: read }
  if (write === 'shared') return { writes: shared, refused: undefined, reads: read }
  return 'scope' in writes
    ? { writes: owner(writes.scope), refused: undefined, reads: read }
    : { writes: undefined, refused: writes.refused, reads: read }
}

const OFF = 'cache-write: off'

function only(owner: string): CacheOwners {
  return { writes: owner, refused: undefined, reads: [owner] }
}

/** `pull/7` as `pull-7`, `trusted/dev` as `branch-dev`; what doesn't fit a tag is told apart by a digest. */
function tagPart(scope: string): string {
  const words = scope.replace(/^trusted\//, 'branch/')
  const plain = words.replaceAll('/', '-')
  if (/^[A-Za-z0-9_.-]+$/.test(plain) && plain.length <= LONGEST) return plain
  return shortened(plain.replace(/[^A-Za-z0-9_.-]/g, '-'), LONGEST, scope)
}
