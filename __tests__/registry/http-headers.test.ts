import { expect, test } from '@jest/globals'
import { HttpHeaders } from '../../src/registry/http-headers.ts'

test('headers are found in any case; several of a name are one list', () => {
  const headers = new HttpHeaders({ 'www-authenticate': ['Basic', 'Bearer realm="x"'], link: [''] })
  expect(headers.get('WWW-Authenticate')).toBe('Basic, Bearer realm="x"')
  expect([headers.has('link'), headers.get('link')]).toEqual([true, ''])
  expect([headers.has('location'), headers.get('location')]).toEqual([false, null])
})
