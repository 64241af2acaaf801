/** One way in that a registry offers in `WWW-Authenticate`. Schemes and parameter names are in lower case. */
export interface AuthChallenge {
  readonly scheme: string
  readonly parameters: Readonly<Record<string, string>>
}

/** Gives tokens for a registry. */
export interface TokenServer {
  readonly realm: URL
  readonly service: string | undefined
}

/** How a registry wants requests to be authorized. */
export type AuthWay = { readonly kind: 'basic' } | { readonly kind: 'bearer'; readonly server: TokenServer }

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y
const UNQUOTED = /[^\s,"]+/y

/**
 * Reads a `WWW-Authenticate` header (RFC 9110, section 11.6.1): several challenges in one header, quoted and bare
 * values, commas inside quotes. What can't be read is passed over, so that one odd challenge doesn't hide a good one.
 */
export function parseAuthChallenges(header: string): readonly AuthChallenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(header) ?? undefined
    if (match !== undefined) at = pattern.lastIndex
    return match
  }
  while (at < header.length) {
    take(/[\s,]+/y)
    const word = take(TOKEN)?.[0]
    if (word === undefined) {
      at += 1
      continue
    }
    if (take(/\s*=(?!=*\s*(?:,|$))\s*/y) === undefined) {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} })
      // A token68 such as `Negotiate abc==` belongs to its scheme and says nothing to us.
      take(/\s+[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y)
      continue
    }
    const value = take(QUOTED)?.[1]?.replace(/\\(.)/g, '$1') ?? take(UNQUOTED)?.[0] ?? ''
    const current = challenges.at(-1)
    if (current !== undefined) current.parameters[word.toLowerCase()] = value
  }
  return challenges
}

/**
 * The way to answer a 401: by token where the registry offers it, else by basic auth.
 * @param plain whether the registry itself is spoken to in plain http, so that its token server may be, too
 */
export function chooseAuthWay(challenges: readonly AuthChallenge[], plain: boolean): AuthWay | undefined {
  for (const { scheme, parameters } of challenges) {
    if (scheme !== 'bearer' || parameters.realm === undefined || !URL.canParse(parameters.realm)) continue
    const realm = new URL(parameters.realm)
    // A token server decides who sees the password: never over plain http when the registry itself has TLS.
    if (realm.protocol === 'https:' || (plain && realm.protocol === 'http:')) {
      return { kind: 'bearer', server: { realm, service: parameters.service } }
    }
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : undefined
}

/**
 * Joins scopes such as `repository:a/b:pull` so that each resource stands there once, with all its actions, in a
 * stable order (distribution spec, token scope grammar). Equal needs give equal texts, so that tokens are found again.
 */
export function mergeScopes(scopes: readonly string[]): readonly string[] {
  const actions = new Map<string, Set<string>>()
  for (const scope of scopes.flatMap((text) => text.split(' ')).filter((text) => text !== '')) {
    const colon = scope.lastIndexOf(':')
    const resource = scope.slice(0, colon)
    const known = actions.get(resource) ?? new Set()
    for (const action of scope.slice(colon + 1).split(',')) known.add(action)
    actions.set(resource, known)
  }
  return [...actions].map(([resource, set]) => `${resource}:${[...set].sort().join(',')}`).sort()
}
