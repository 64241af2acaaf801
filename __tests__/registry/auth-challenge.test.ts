import { describe, expect, test } from '@jest/globals'
import { chooseAuthWay, mergeScopes, parseAuthChallenges } from '../../src/registry/auth-challenge.ts'

describe('a challenge is read', () => {
  test.each([
    ['Basic realm="x"', [{ scheme: 'basic', parameters: { realm: 'x' } }]],
    [
      'Bearer realm="https://a.example/token",service="a.example",scope="repository:x:pull,push"',
      [
        {
          scheme: 'bearer',
          parameters: { realm: 'https://a.example/token', service: 'a.example', scope: 'repository:x:pull,push' },
        },
      ],
    ],
    ['BEARER Realm=plain , Service = "s"', [{ scheme: 'bearer', parameters: { realm: 'plain', service: 's' } }]],
    [
      'Negotiate, Basic realm="a, b", Bearer realm="c"',
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'a, b' } },
        { scheme: 'bearer', parameters: { realm: 'c' } },
      ],
    ],
    [
      'Negotiate YWJj==, Basic realm="x"',
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'x' } },
      ],
    ],
    ['Basic realm="say \\"hi\\""', [{ scheme: 'basic', parameters: { realm: 'say "hi"' } }]],
    ['', []],
    ['"""', []],
    ['Basic realm="never closed', [{ scheme: 'basic', parameters: { realm: '' } }]],
  ])('%s', (header, expected) => {
    expect(parseAuthChallenges(header).slice(0, expected.length)).toEqual(expected)
  })
})

test('scopes of one repository are joined, in a stable order', () => {
  expect(
    mergeScopes(['repository:b:pull', 'repository:a:pull,push', 'repository:b:push repository:a:pull', '']),
  ).toEqual(['repository:a:pull,push', 'repository:b:pull,push'])
})

describe('the way to answer a 401', () => {
  const bearer = (realm: string) => `Bearer realm="${realm}",service="s"`
  test.each([
    ['a token comes before basic auth', `Basic realm="x", ${bearer('https://a.example/token')}`, false, 'bearer'],
    [
      'a token server in plain http is not told the login of a registry with TLS',
      bearer('http://a.example/token'),
      false,
      undefined,
    ],
    [
      'a token server in plain http will do for a registry in plain http',
      bearer('http://a.example/token'),
      true,
      'bearer',
    ],
    ['basic auth is taken when the token server is of no use', `${bearer('nowhere')}, Basic realm="x"`, false, 'basic'],
    ['a token server is reached by http only', bearer('file:///etc/passwd'), true, undefined],
    ['an unknown scheme is no way', 'Negotiate', true, undefined],
  ])('%s', (_, header, plain, expected) => {
    expect(chooseAuthWay(parseAuthChallenges(header), plain)?.kind).toBe(expected)
  })
})
