import { isJsonRecord } from '../base/json-value.ts'

/** How a try ended, as far as trying again is concerned. */
export type TryEnd =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: string | null }
  | { readonly kind: 'broken'; readonly error: unknown }

export interface RetryTime {
  /** Wall clock in milliseconds since 1970, for a Retry-After that names a date. */
  readonly now: number
  /** From 0 to below 1: spreads clients that failed together. */
  readonly random: number
}

export const MAX_TRIES = 4

const RETRIED_STATUS: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])
const RETRIED_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN'])
const NO_TLS = 'ERR_SSL_WRONG_VERSION_NUMBER'
const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 30_000

/**
 * Milliseconds to wait before the next try, or undefined when another try can't help: it was the last one, or the
 * failure is no passing one. A Retry-After is followed up to 30 s; otherwise the wait doubles, with jitter.
 * @param tryNumber the try that has just ended, from 1
 */
export function retryDelay(tryNumber: number, end: TryEnd, time: RetryTime): number | undefined {
  if (tryNumber >= MAX_TRIES) return undefined
  if (end.kind === 'broken' && !isPassingFailure(end.error)) return undefined
  if (end.kind === 'status' && !RETRIED_STATUS.has(end.status)) return undefined
  const asked = end.kind === 'status' ? retryAfterMs(end.retryAfter, time.now) : undefined
  if (asked !== undefined) return Math.min(asked, LONGEST_DELAY_MS)
  const backoff = Math.min(FIRST_DELAY_MS * 2 ** (tryNumber - 1), LONGEST_DELAY_MS)
  return Math.round(backoff * (0.5 + time.random / 2))
}

/** The system's code of a network failure, from the error or what caused it: `ECONNREFUSED`, `TimeoutError`. */
export function failureCode(error: unknown): string | undefined {
  // By form rather than by class: errors may come from another realm.
  let current = error
  for (let depth = 0; depth < 5 && isJsonRecord(current); depth += 1) {
    if (current.name === 'TimeoutError') return current.name
    // Node calls every trouble of TLS EPROTO; this one is told apart: the other end doesn't speak it.
    if (current.code === 'EPROTO' && /wrong version number/.test(String(current.message))) return NO_TLS
    if (typeof current.code === 'string') return current.code
    current = current.cause
  }
  return undefined
}

/** Whether a failure without an answer may be gone at the next try. */
export function isPassingFailure(error: unknown): boolean {
  const code = failureCode(error)
  return code === 'TimeoutError' || (code !== undefined && RETRIED_CODES.has(code))
}

/** Whether a failure's code says that nobody vouches for the server's certificate. */
export function isUntrustedCertificate(code: string | undefined): boolean {
  return code !== undefined && /CERT|ISSUER|VERIFY|SELF_SIGNED/.test(code) && !code.includes('ALERT')
}

/** Retry-After is seconds or a date (RFC 9110, section 10.2.3). */
function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
