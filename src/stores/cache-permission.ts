import { parseJson } from '../base/json-value.ts'
/** What the job may do with GitHub's cache; a text says why not. */
export interface CachePermission {
  readonly read: true | string
  readonly write: true | string
}

const READ = 1
const WRITE = 2
/** `ACTIONS_CACHE_MODE` as the runner exports it; unknown modes permit all, as the cache client has it. */
const MODES: Readonly<Record<string, number>> = { none: 0, read: READ, 'write-only': WRITE, write: READ | WRITE }

/**
 * Finds out without a request whether the cache may be read and written: from the cache mode, and from the scopes in
 * the runtime token's `ac` claim (a JSON text of `{Scope, Permission}`, 1 read, 2 write). What can't be read from the
 * token is taken as permitted: the service will say.
 */
export function cachePermission(mode: string, token: string): CachePermission {
  const name = mode.trim().toLowerCase()
  const byMode = Object.hasOwn(MODES, name) ? (MODES[name] ?? 0) : READ | WRITE
  const byToken = permissionOf(token) ?? READ | WRITE
  const why = (bit: number, what: string): true | string => {
    if ((byMode & bit) === 0) return `${what}: ACTIONS_CACHE_MODE is ${name}`
    return (byToken & bit) === 0 ? `${what}: the token of this run does not allow it` : true
  }
  return { read: why(READ, 'not readable'), write: why(WRITE, 'read-only') }
}

/** All permissions of a token together, or undefined when it does not tell. */
function permissionOf(token: string): number | undefined {
  const [, payload = ''] = token.split('.')
  const claims = parseJson(Buffer.from(payload, 'base64url').toString())
  if (typeof claims !== 'object' || claims === null || !('ac' in claims) || typeof claims.ac !== 'string')
    return undefined
  const scopes = parseJson(claims.ac)
  if (!Array.isArray(scopes)) return undefined
  return scopes.reduce<number>((all, scope: unknown) => all | bitsOf(scope), 0)
}

function bitsOf(scope: unknown): number {
  if (typeof scope !== 'object' || scope === null || !('Permission' in scope)) return 0
  return typeof scope.Permission === 'number' ? scope.Permission : 0
}
