import { type ErrorDetails, ImageCacheError, messageOf } from '../base/errors.ts'
import { isJsonList, isJsonRecord, parseJson, textField } from '../base/json-value.ts'
import { redact } from '../base/redact.ts'
import { failureCode, isUntrustedCertificate } from './retry-delay.ts'

export interface RegistryErrorDetails extends ErrorDetails {
  /** The request without its query, which may hold signatures: `HEAD https://host/v2/x/manifests/tag`. */
  readonly request: string
  readonly status?: number
  /** The registry's own code, such as `DENIED` (distribution spec, "Error Codes"). */
  readonly registryCode?: string
  readonly registryMessage?: string
}

/** A registry, or its token server, that couldn't be reached, refused, or answered nonsense. Holds no secrets. */
export class RegistryError extends ImageCacheError {
  readonly request: string
  /** The HTTP status, or undefined when there was no answer. */
  readonly status: number | undefined
  readonly registryCode: string | undefined
  readonly registryMessage: string | undefined

  constructor(sentence: string, details: RegistryErrorDetails) {
    const refused = details.status === 401 || details.status === 403
    super(refused ? 'E_REGISTRY_AUTH' : 'E_REGISTRY', sentence, details)
    this.request = details.request
    this.status = details.status
    this.registryCode = details.registryCode
    this.registryMessage = details.registryMessage
  }
}

/** What is known of a request when it fails. */
export interface FailedRequest {
  readonly method: string
  readonly url: URL
  /** The registry's name as references have it, for the hint on logging in. */
  readonly registry: string
  /** Values that must not be seen. */
  readonly secrets: Iterable<string>
}

/** The bytes that a request was to send broke off at their own source, which is to be blamed rather than the target. */
export class BodyError extends Error {
  /** The request that the bytes came from. */
  readonly from: FailedRequest

  constructor(from: FailedRequest, cause: unknown) {
    super('the bytes to be sent broke off', { cause })
    this.from = from
  }
}

/** The error for an answer whose status is not what the protocol has. */
export function statusError(failed: FailedRequest, status: number, body: Uint8Array): RegistryError {
  const request = requestLine(failed)
  const own = registryOwnError(body)
  const clean = (text: string) => redact(text, [...failed.secrets])
  const words = own === undefined ? '' : ` ${clean([own.code, own.message].filter((part) => part !== '').join(': '))}`
  const html = own === undefined && looksLikeHtml(body)
  return new RegistryError(`${request} was answered ${status}${words.trimEnd()}`, {
    request,
    status,
    ...(own === undefined ? {} : { registryCode: clean(own.code), registryMessage: clean(own.message) }),
    hint: statusHint(failed, status, own, html),
  })
}

/** The error for a request that got no whole answer. */
export function networkError(failed: FailedRequest, error: unknown): RegistryError {
  const request = requestLine(failed)
  const code = failureCode(error)
  const { sentence, hint } = networkTrouble(code, failed.url)
  const message = redact(messageOf(error), [...failed.secrets])
  return new RegistryError(`${request} failed: ${sentence ?? message}${code === undefined ? '' : ` (${code})`}`, {
    request,
    hint,
    // The original error could quote a header; only its words, redacted, go along.
    cause: new Error(message),
  })
}

/** The error for an answer that came, but isn't what was asked for. */
export function contentError(failed: FailedRequest, status: number, problem: string, body: Uint8Array): RegistryError {
  const request = requestLine(failed)
  const html = looksLikeHtml(body)
  const hint = html ? htmlHint(failed.url) : 'Try again; if it stays, the registry, or a proxy before it, is at fault.'
  const what = html ? 'was answered with an HTML page' : problem
  return new RegistryError(`${request} ${what}`, { request, status, hint })
}

function requestLine({ method, url }: FailedRequest): string {
  return redact(`${method} ${url.origin}${url.pathname}`)
}

function statusHint(failed: FailedRequest, status: number, own: OwnError | undefined, html: boolean): string {
  const { registry, url } = failed
  const byCode = codeHint(failed, own)
  if (byCode !== undefined) return byCode
  if (status === 401) return `Log in with: docker login ${registry}`
  if (status === 403)
    return `Check that the login has access to this repository, or log in with: docker login ${registry}`
  if (status === 429) return 'The registry limits requests: wait, log in, or use a mirror.'
  if (status >= 500) return 'The registry has trouble of its own: try again later.'
  if (html) return htmlHint(url)
  return 'Check the name of the image and that the host is an OCI registry.'
}

/** What registries mean by their own codes (distribution spec, "Error Codes"; Amazon ECR's for tags and repositories). */
function codeHint({ method, registry }: FailedRequest, own: OwnError | undefined): string | undefined {
  const writes = method === 'PUT' || method === 'POST'
  if (own === undefined) return undefined
  if (/immutable/i.test(own.message)) {
    return 'The repository lets no tag be moved: use a tag that is new for each image, or allow tags to be moved.'
  }
  if (/expired/i.test(own.message)) return `The login has run out: log in again with: docker login ${registry}`
  if (own.code === 'NAME_UNKNOWN' && writes) {
    return 'The registry makes no repository by itself (Amazon ECR does so only when told to): create it first.'
  }
  if (own.code === 'TOOMANYREQUESTS') return 'The registry limits requests: wait, log in, or use a mirror.'
  return undefined
}

function htmlHint(url: URL): string {
  return `An HTML page comes from a proxy or a web site, not from a registry: check the host ${url.host}.`
}

interface NetworkTrouble {
  readonly sentence?: string
  readonly hint: string
}

function networkTrouble(code: string | undefined, { host }: URL): NetworkTrouble {
  switch (code) {
    case 'ECONNREFUSED':
      return {
        sentence: `nothing listens at ${host}`,
        hint: 'Check that the registry (or the proxy of HTTPS_PROXY) is running and that its port is right.',
      }
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { sentence: `the host ${host} is unknown`, hint: 'Check the registry name, DNS and proxy settings.' }
    case 'ERR_PROXY_TUNNEL':
    case 'ERR_PROXY_INVALID_CONFIG':
      return {
        sentence: `the proxy let nothing through to ${host}`,
        hint: 'Check HTTPS_PROXY, or name the registry in NO_PROXY.',
      }
    case 'TimeoutError':
      return {
        sentence: `${host} did not answer in time`,
        hint: 'Check the network and proxy settings, or try again later.',
      }
    case 'ECONNRESET':
    case 'EPIPE':
      return {
        sentence: `${host} closed the connection`,
        hint: 'Try again; if it stays, look at the registry or the proxy.',
      }
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return { sentence: `${host} does not speak TLS`, hint: 'Allow plain http for this registry if that is meant.' }
  }
  if (code !== undefined && /ALERT.*CERT/.test(code)) {
    return {
      sentence: `${host} wants a client certificate`,
      hint: `Put a .cert and its .key into /etc/docker/certs.d/${host}.`,
    }
  }
  if (isUntrustedCertificate(code)) {
    return {
      sentence: `the certificate of ${host} is not trusted`,
      hint: `If a CA of your own signed it, name its file in NODE_EXTRA_CA_CERTS, or put it into /etc/docker/certs.d/${host}.`,
    }
  }
  return { hint: 'Check the network and proxy settings, or try again later.' }
}

/** What a registry says itself about a refusal; a part that it left out is empty. */
export interface OwnError {
  readonly code: string
  readonly message: string
}

/** `{"errors":[{"code","message"}]}` of registries, or `{"details"}` / `{"error","error_description"}` of token servers. */
export function registryOwnError(body: Uint8Array): OwnError | undefined {
  const json = parseJson(body)
  if (!isJsonRecord(json)) return undefined
  const first = isJsonList(json.errors) ? json.errors[0] : undefined
  if (isJsonRecord(first)) return { code: textField(first, 'code') ?? '', message: textField(first, 'message') ?? '' }
  const message = textField(json, 'error_description') ?? textField(json, 'details') ?? textField(json, 'message')
  const code = textField(json, 'error')
  return message === undefined && code === undefined ? undefined : { code: code ?? '', message: message ?? '' }
}

export function looksLikeHtml(body: Uint8Array): boolean {
  return /^\s*<(?:!doctype|html|head|body|\?xml)/i.test(new TextDecoder().decode(body.subarray(0, 256)))
}
