import { describe, expect, test } from '@jest/globals'
import { networkError, statusError } from '../../src/registry/registry-error.ts'

const FAILED = {
  method: 'HEAD',
  url: new URL('https://user:pw@a.example/v2/x/manifests/1?signature=hidden'),
  registry: 'a.example',
  secrets: ['very-secret'],
}

describe('a network failure says what to look at', () => {
  test.each([
    ['ECONNREFUSED', 'nothing listens at a.example', 'port'],
    ['ENOTFOUND', 'the host a.example is unknown', 'DNS'],
    ['ECONNRESET', 'closed the connection', 'proxy'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'certificate of a.example is not trusted', 'NODE_EXTRA_CA_CERTS'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'certificate of a.example is not trusted', 'NODE_EXTRA_CA_CERTS'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate of a.example is not trusted', 'NODE_EXTRA_CA_CERTS'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'does not speak TLS', 'plain http'],
    ['ESOMETHING', 'fetch failed', 'network'],
  ])('%s', (code, sentence, hint) => {
    const cause = Object.assign(new Error('low level'), { code })
    const error = networkError(FAILED, new TypeError('fetch failed', { cause }))
    expect(error.message).toContain(sentence)
    expect(error.message).toContain(code)
    expect(error.hint).toContain(hint)
    expect(error.code).toBe('E_REGISTRY')
  })
})

describe('an error shows no secret', () => {
  test('from the address', () => {
    const error = statusError(FAILED, 500, new Uint8Array())
    expect(error.request).toBe('HEAD https://a.example/v2/x/manifests/1')
    expect(error.message).toBe('HEAD https://a.example/v2/x/manifests/1 was answered 500')
  })

  test('from a low-level error that quotes a header', () => {
    const error = networkError(FAILED, new TypeError('"Bearer very-secret" is an invalid header value'))
    expect([error.message, String(error.cause), error.stack].join()).not.toContain('very-secret')
  })
})

describe('the registry’s own words', () => {
  test.each([
    ['{"errors":[{"code":"DENIED","message":"no access"}]}', 'DENIED', 'no access'],
    ['{"errors":[{"code":"DENIED"}]}', 'DENIED', ''],
    ['{"error":"invalid_grant","error_description":"expired"}', 'invalid_grant', 'expired'],
    ['{"details":"incorrect username or password"}', '', 'incorrect username or password'],
    ['{"errors":[]}', undefined, undefined],
    ['[1]', undefined, undefined],
    ['', undefined, undefined],
  ])('%s', (body, code, message) => {
    const error = statusError(FAILED, 403, Buffer.from(body))
    expect([error.registryCode, error.registryMessage]).toEqual([code, message])
    expect(error.code).toBe('E_REGISTRY_AUTH')
  })
})
