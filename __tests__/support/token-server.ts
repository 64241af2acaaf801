import { generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** Signs tokens that a real registry takes (distribution, "Token Authentication Implementation"). */
export interface TokenServer {
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** The public key, as JSON Web Key Set. */
  readonly jwks: string
  /** Scopes of each token that was given. */
  readonly given: readonly string[]
  stop(): Promise<void>
}

const SERVICE = 'registry.test.example'
const ISSUER = 'tokens.test.example'

/** Starts a token server on loopback that gives every scope that is asked for to one user. */
export async function startTokenServer(username: string, password: string): Promise<TokenServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const given: string[] = []
  const login = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

  function token(scopes: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000)
    const access = scopes.map((scope) => {
      const [type, name, actions = ''] = scope.split(':')
      return { type, name, actions: actions.split(',') }
    })
    const claims = {
      iss: ISSUER,
      sub: username,
      aud: SERVICE,
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomUUID(),
    }
    const parts = [
      { alg: 'ES256', typ: 'JWT', kid: 'test' },
      { ...claims, access },
    ]
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${text}.${signature.toString('base64url')}`
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const scopes = new URL(request.url ?? '/', 'http://x').searchParams.getAll('scope')
    const known = request.headers.authorization === login
    if (known) given.push(scopes.join(' '))
    response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(known ? { token: token(scopes), expires_in: 300 } : { details: 'wrong login' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const key = { ...publicKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'ES256' }
  return {
    realm: `http://127.0.0.1:${port}/token`,
    service: SERVICE,
    issuer: ISSUER,
    jwks: JSON.stringify({ keys: [key] }),
    given,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
