import { randomUUID } from 'node:crypto'
import type { FakeAnswer, FakeRequest } from './registry-fake-storage.ts'

/** Who may come in, and how the fake asks for it. */
export interface FakeAuth {
  readonly kind: 'basic' | 'bearer'
  readonly username?: string
  readonly password?: string
  /** Accepted by POST to the token server. */
  readonly identityToken?: string
  /** Whether tokens for pulling are given to anybody. */
  readonly anonymousPull?: boolean
  /** Seconds; the answer names none when undefined. */
  readonly expiresIn?: number
  /** Replaces the challenge; `{realm}` and `{scope}` are filled in. */
  readonly challenge?: string
  readonly realm?: string
}

export const SERVICE = 'registry.fake.example'

/** The token server and gate keeper of the fake registry. */
export class FakeGate {
  readonly #auth: FakeAuth | undefined
  readonly #granted = new Map<string, ReadonlySet<string>>()
  readonly issued: string[] = []

  constructor(auth: FakeAuth | undefined) {
    this.#auth = auth
  }

  revokeAll(): void {
    this.#granted.clear()
  }

  /** Whether the request may do `pull` or `push` in the repository. */
  admits(authorization: string, repository: string, action: string): boolean {
    const auth = this.#auth
    if (auth === undefined) return true
    if (auth.kind === 'basic') return authorization === basic(auth)
    const token = /^Bearer (.+)$/.exec(authorization)?.[1] ?? ''
    return this.#granted.get(token)?.has(`${repository} ${action}`) ?? false
  }

  challenge(host: string, repository: string, actions: string): string {
    const realm = this.#auth?.realm ?? `http://${host}/token`
    const scope = `repository:${repository}:${actions}`
    const usual =
      this.#auth?.kind === 'basic'
        ? 'Basic realm="fake"'
        : `Bearer realm="{realm}",service="${SERVICE}",scope="{scope}"`
    return (this.#auth?.challenge ?? usual).replace('{realm}', realm).replace('{scope}', scope)
  }

  /** Answers the token server's GET and POST forms; refuses what a real one refuses. */
  answerToken({ method, url, headers, body }: FakeRequest): FakeAnswer {
    const form = method === 'POST' ? new URLSearchParams(body.toString()) : url.searchParams
    const scopes = form.getAll('scope').flatMap((scope) => scope.split(' '))
    if (form.get('service') !== SERVICE || scopes.length === 0) return json(400, { details: 'bad request' })
    const authorization = headers.authorization ?? ''
    const known = method === 'POST' ? this.#isTrade(headers['content-type'], form) : this.#isLogin(authorization)
    const anonymous = method === 'GET' && authorization === '' && this.#auth?.anonymousPull === true
    if (!known && !anonymous) return json(401, { details: `wrong login ${authorization}` })
    const token = `token-${randomUUID()}`
    const actions = scopes.flatMap((scope) => {
      const [, repository, list = ''] = scope.split(':')
      return list.split(',').map((action) => `${repository} ${action}`)
    })
    this.#granted.set(token, new Set(known ? actions : actions.filter((action) => action.endsWith(' pull'))))
    this.issued.push(token)
    const expiresIn = this.#auth?.expiresIn
    const name = method === 'POST' ? 'access_token' : 'token'
    return json(200, { [name]: token, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) })
  }

  #isLogin(authorization: string): boolean {
    return this.#auth?.username !== undefined && authorization === basic(this.#auth)
  }

  #isTrade(contentType: string | undefined, form: URLSearchParams): boolean {
    return (
      contentType === 'application/x-www-form-urlencoded' &&
      form.get('grant_type') === 'refresh_token' &&
      form.get('client_id') !== null &&
      this.#auth?.identityToken !== undefined &&
      form.get('refresh_token') === this.#auth.identityToken
    )
  }
}

function basic({ username = '', password = '' }: FakeAuth): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function json(status: number, value: unknown): FakeAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}
