import type { Clock } from '../base/clock.ts'
import { isJsonRecord, parseJson, textField } from '../base/json-value.ts'
import {
  type AuthChallenge,
  type AuthWay,
  chooseAuthWay,
  mergeScopes,
  parseAuthChallenges,
  type TokenServer,
} from './auth-challenge.ts'
import type { Credential, CredentialSource } from './credentials.ts'
import { contentError, statusError } from './registry-error.ts'
import type { Answer, PlainRequest } from './registry-transport.ts'

/** Whom a request goes to and what it may have to do there. */
export interface AuthTarget {
  /** The registry's name as references have it, which credentials are kept under. */
  readonly registry: string
  /** Such as `repository:library/python:pull`. */
  readonly scopes: readonly string[]
  /** Whether the registry itself is spoken to in plain http, so that its token server may be, too. */
  readonly plain: boolean
}

export interface RegistryAuthDependencies {
  readonly credentials: CredentialSource | undefined
  readonly clock: Clock
  /** Sends a request to a token server, with retries but without authorization of ours. */
  readonly send: (request: PlainRequest) => Promise<Answer>
  /** Every secret that was used is added here, so that errors can leave it out. */
  readonly secrets: Set<string>
}

interface Token {
  readonly header: string
  /** Milliseconds since 1970. */
  readonly expires: number
}

/** Docker's shortest token life, taken when the server names none (distribution, "Token Authentication Specification"). */
const DEFAULT_LIFE_S = 60
const EARLY_MS = 5_000

/** Finds the `Authorization` for each request: learns from a registry's first 401, then asks for tokens ahead. */
export class RegistryAuth {
  readonly #dependencies: RegistryAuthDependencies
  readonly #ways = new Map<string, AuthWay>()
  /** Scopes that a registry named in its challenge, beside our own. */
  readonly #wanted = new Map<string, readonly string[]>()
  readonly #tokens = new Map<string, Token>()
  readonly #pending = new Map<string, Promise<string>>()

  constructor(dependencies: RegistryAuthDependencies) {
    this.#dependencies = dependencies
  }

  /** The header to send at once, or undefined as long as the registry has not asked for any. */
  async header(target: AuthTarget): Promise<string | undefined> {
    const way = this.#ways.get(target.registry)
    return way === undefined ? undefined : await this.#headerFor(target, way)
  }

  /**
   * The header to try after a 401.
   * @param refused the header that was sent, which is not tried again
   * @returns undefined when there is nothing else to try
   */
  async answer(target: AuthTarget, challengeHeader: string, refused: string | undefined): Promise<string | undefined> {
    const challenges = parseAuthChallenges(challengeHeader)
    const way = chooseAuthWay(challenges, target.plain)
    if (way === undefined) return undefined
    this.#ways.set(target.registry, way)
    if (way.kind === 'bearer') this.#learnScopes(target, challenges)
    for (const [key, token] of this.#tokens) if (token.header === refused) this.#tokens.delete(key)
    const header = await this.#headerFor(target, way)
    return header === refused ? undefined : header
  }

  /**
   * Gets the header that requests to a target will need.
   * @param challengeHeader of an answer to a question about no repository: its scope, if it names one, isn't ours
   */
  async learn(target: AuthTarget, challengeHeader: string): Promise<void> {
    const way = this.#ways.get(target.registry) ?? chooseAuthWay(parseAuthChallenges(challengeHeader), target.plain)
    if (way === undefined) return
    this.#ways.set(target.registry, way)
    await this.#headerFor(target, way)
  }

  #learnScopes(target: AuthTarget, challenges: readonly AuthChallenge[]): void {
    const named = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters.scope ?? ''
    this.#wanted.set(wantedKey(target), mergeScopes([...target.scopes, named]))
  }

  async #headerFor(target: AuthTarget, way: AuthWay): Promise<string | undefined> {
    if (way.kind === 'basic') return this.#basicHeader(await this.#credential(target.registry))
    const scopes = this.#wanted.get(wantedKey(target)) ?? mergeScopes(target.scopes)
    const keyOf = (wanted: readonly string[]) =>
      [target.registry, way.server.realm.href, way.server.service ?? '', ...wanted].join(' ')
    const wider = scopes.map((scope) => scope.replace(/:pull$/, ':pull,push'))
    const known = this.#known(keyOf(scopes)) ?? (await this.#coming(keyOf(wider))) ?? this.#known(keyOf(wider))
    if (known !== undefined) return known
    const key = keyOf(scopes)
    const pending = this.#pending.get(key) ?? this.#fetchToken(key, target, way.server, scopes)
    this.#pending.set(key, pending)
    try {
      return await pending
    } finally {
      this.#pending.delete(key)
    }
  }

  #known(key: string): string | undefined {
    const token = this.#tokens.get(key)
    return token !== undefined && token.expires > this.#dependencies.clock.now() ? token.header : undefined
  }

  /** A token for writing is good for reading, too. Where it isn't given, a narrower one may be. */
  async #coming(key: string): Promise<string | undefined> {
    return await this.#pending.get(key)?.catch(() => undefined)
  }

  async #fetchToken(key: string, target: AuthTarget, server: TokenServer, scopes: readonly string[]): Promise<string> {
    const { clock, secrets, send } = this.#dependencies
    const credential = await this.#credential(target.registry)
    if (credential?.kind === 'registry-token') return `Bearer ${credential.token}`

    const asked = clock.now()
    const request =
      credential?.kind === 'identity-token'
        ? tradeRequest(target.registry, server, scopes, credential.token)
        : tokenRequest(target.registry, server, scopes, this.#basicHeader(credential))
    const answer = await send(request)
    const failed = { method: request.method, url: answer.url, registry: target.registry, secrets }
    if (answer.status !== 200) throw statusError(failed, answer.status, answer.body)
    const json = parseJson(answer.body)
    const token = isJsonRecord(json) ? (textField(json, 'token') ?? textField(json, 'access_token')) : undefined
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token)) {
      throw contentError(failed, answer.status, 'was answered without a token', answer.body)
    }
    secrets.add(token)
    const life = isJsonRecord(json) && typeof json.expires_in === 'number' ? json.expires_in : DEFAULT_LIFE_S
    const header = `Bearer ${token}`
    this.#tokens.set(key, { header, expires: asked + Math.max(life, DEFAULT_LIFE_S) * 1000 - EARLY_MS })
    return header
  }

  async #credential(registry: string): Promise<Credential | undefined> {
    const credential = await this.#dependencies.credentials?.credentialFor(registry)
    if (credential !== undefined) {
      this.#dependencies.secrets.add(credential.kind === 'password' ? credential.password : credential.token)
    }
    return credential
  }

  #basicHeader(credential: Credential | undefined): string | undefined {
    if (credential?.kind !== 'password') return undefined
    const encoded = Buffer.from(`${credential.username}:${credential.password}`).toString('base64')
    this.#dependencies.secrets.add(encoded)
    return `Basic ${encoded}`
  }
}

/** The GET form (distribution, "Token Authentication Specification"). */
function tokenRequest(
  registry: string,
  { realm, service }: TokenServer,
  scopes: readonly string[],
  authorization: string | undefined,
): PlainRequest {
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  const headers = authorization === undefined ? {} : { authorization }
  return { method: 'GET', url, registry, headers, body: undefined }
}

/** The POST form that trades an identity token (distribution, "Oauth2 Token Authentication"). */
function tradeRequest(registry: string, server: TokenServer, scopes: readonly string[], token: string): PlainRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'image-cache-action',
    refresh_token: token,
    scope: scopes.join(' '),
    ...(server.service === undefined ? {} : { service: server.service }),
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', url: server.realm, registry, headers, body: Buffer.from(form.toString()) }
}

function wantedKey({ registry, scopes }: AuthTarget): string {
  return [registry, ...scopes].join(' ')
}
