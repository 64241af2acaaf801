import { createHmac, timingSafeEqual } from 'node:crypto'

/** A scope of a token: entries of this ref may be read, written, or both. */
export interface TokenScope {
  readonly scope: string
  readonly permission: 'read' | 'write' | 'read-write'
}

const BITS = { read: 1, write: 2, 'read-write': 3 } as const
const LIFETIME_SECONDS = 6 * 3600

/** Makes a runtime token as the runner hands it out: a JWT whose `ac` claim is a JSON text of scopes. */
export function mintToken(secret: Buffer, scopes: readonly TokenScope[], nowSeconds: number): string {
  const ac = scopes.map(({ scope, permission }) => ({ Scope: scope, Permission: BITS[permission] }))
  const header = encode({ alg: 'HS256', typ: 'JWT' })
  const claims = encode({
    ac: JSON.stringify(ac),
    nbf: nowSeconds - 60,
    exp: nowSeconds + LIFETIME_SECONDS,
    iss: 'cache-service-emulator',
  })
  return `${header}.${claims}.${sign(secret, `${header}.${claims}`)}`
}

/** The scopes of a token, or undefined when it is not one of ours or has expired. */
export function readToken(secret: Buffer, token: string, nowSeconds: number): readonly TokenScope[] | undefined {
  const [header, claims, signature, ...rest] = token.split('.')
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) return undefined
  if (!sameText(signature, sign(secret, `${header}.${claims}`))) return undefined
  const payload: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString())
  if (!isRecord(payload) || typeof payload.exp !== 'number' || payload.exp < nowSeconds) return undefined
  if (typeof payload.ac !== 'string') return undefined
  const ac: unknown = JSON.parse(payload.ac)
  return Array.isArray(ac) ? ac.map(readScope) : undefined
}

/** Signature of a blob address, for one blob and one purpose. */
export function signBlob(secret: Buffer, id: string, purpose: 'r' | 'w'): string {
  return sign(secret, `${purpose}:${id}`)
}

export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readScope(value: unknown): TokenScope {
  if (!isRecord(value) || typeof value.Scope !== 'string') throw new TypeError('a scope of the token has no Scope')
  for (const permission of ['read', 'write', 'read-write'] as const) {
    if (BITS[permission] === value.Permission) return { scope: value.Scope, permission }
  }
  throw new TypeError(`unknown Permission ${String(value.Permission)}`)
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function sign(secret: Buffer, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url')
}
