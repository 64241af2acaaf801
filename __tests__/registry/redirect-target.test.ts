import { expect, test } from '@jest/globals'
import { redirectTarget } from '../../src/registry/redirect-target.ts'

test.each([
  ['https://a.example/v2/x', '/v2/y?z=1', 'https://a.example/v2/y?z=1'],
  ['https://a.example/v2/x', 'https://b.example/y', 'https://b.example/y'],
  ['http://localhost:5000/v2/x', 'http://localhost:6000/y', 'http://localhost:6000/y'],
  ['http://localhost:5000/v2/x', 'https://b.example/y', 'https://b.example/y'],
  ['https://a.example/v2/x', 'http://a.example/y', 'leads to http://a.example, away from https'],
  ['https://a.example/v2/x', 'file:///etc/passwd', 'leads to file:, which is not http'],
  ['https://a.example/v2/x', 'https://', 'leads to an address that is no URL'],
  ['https://a.example/v2/x', '', 'leads to an address that is no URL'],
])('from %s, the location %j is %s', (from, location, expected) => {
  expect(String(redirectTarget(new URL(from), location))).toBe(expected)
})
