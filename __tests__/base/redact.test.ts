import { expect, test } from '@jest/globals'
import { redact } from '../../src/base/redact.ts'

test.each([
  ['a login in a URL', 'GET https://user:pass@index.example/simple', 'GET https://***@index.example/simple'],
  ['a signature in a URL', 'PUT https://r.example/u?a=1&_state=abc&b=2', 'PUT https://r.example/u?a=1&_state=***&b=2'],
  ['a URL without either', 'https://index.example/a@b', 'https://index.example/a@b'],
  ['a URL beside a mail address', '"https://index.example","me@b.example"', '"https://index.example","me@b.example"'],
])('%s', (_, text, clean) => {
  expect(redact(text)).toBe(clean)
})

test('every line of a known secret is taken out, wherever it stands', () => {
  expect(redact('first-part and second-part', ['first-part\nsecond-part'])).toBe('*** and ***')
})

test('values too short to tell apart from ordinary words are left', () => {
  expect(redact('a cat', ['a'])).toBe('a cat')
})
