import { expect, test } from '@jest/globals'
import { cachePermission } from '../../src/stores/cache-permission.ts'

const byToken = 'the token of this run does not allow it'

function tokenWith(ac: unknown): string {
  const claims = Buffer.from(JSON.stringify({ ac })).toString('base64url')
  return `header.${claims}.signature`
}

function scoped(...permissions: readonly number[]): string {
  return tokenWith(JSON.stringify(permissions.map((Permission) => ({ Scope: 'refs/heads/main', Permission }))))
}

test.each([
  ['nothing is known', '', '', true, true],
  ['the token may do both', '', scoped(3), true, true],
  ['the token may read one scope and write another', '', scoped(1, 2), true, true],
  ['the token may only read', '', scoped(1), true, `read-only: ${byToken}`],
  ['the token may only write', '', scoped(2), `not readable: ${byToken}`, true],
  ['the token has no scopes', '', scoped(), `not readable: ${byToken}`, `read-only: ${byToken}`],
  ['the mode is read', 'read', scoped(3), true, 'read-only: ACTIONS_CACHE_MODE is read'],
  ['the mode is written in capitals with blanks', ' READ ', '', true, 'read-only: ACTIONS_CACHE_MODE is read'],
  ['the mode is write', 'write', scoped(3), true, true],
  ['the mode is write-only', 'write-only', '', 'not readable: ACTIONS_CACHE_MODE is write-only', true],
  [
    'the mode is none',
    'none',
    scoped(3),
    'not readable: ACTIONS_CACHE_MODE is none',
    'read-only: ACTIONS_CACHE_MODE is none',
  ],
  ['the mode is of a later time', 'sometimes', scoped(3), true, true],
  ['the mode is a word that every object knows', 'constructor', scoped(3), true, true],
  ['the token is no JWT', '', 'opaque', true, true],
  ['the claim is no text', '', tokenWith([{ Permission: 1 }]), true, true],
  ['the claim is no JSON', '', tokenWith('['), true, true],
])('when %s', (_, mode, token, read, write) => {
  expect(cachePermission(mode, token)).toEqual({ read, write })
})
