import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { digestOf } from '../../src/base/digest.ts'
import {
  familiarReference,
  formatReference,
  type ImageReference,
  parseReference,
  withDigest,
  withTag,
} from '../../src/registry/reference.ts'

const DIGEST = digestOf('x')

describe('a reference is read as Docker reads it', () => {
  test.each([
    ['python', 'docker.io/library/python:latest', 'python:latest'],
    ['python:3.12', 'docker.io/library/python:3.12', 'python:3.12'],
    ['docker.io/python:3.12', 'docker.io/library/python:3.12', 'python:3.12'],
    ['index.docker.io/library/python:3.12', 'docker.io/library/python:3.12', 'python:3.12'],
    ['org/app:1', 'docker.io/org/app:1', 'org/app:1'],
    ['localhost/app:1', 'localhost/app:1', 'localhost/app:1'],
    ['localhost:5000/x', 'localhost:5000/x:latest', 'localhost:5000/x:latest'],
    ['localhost:5000', 'docker.io/library/localhost:5000', 'localhost:5000'],
    ['ghcr.io/a/b/c:tag', 'ghcr.io/a/b/c:tag', 'ghcr.io/a/b/c:tag'],
    ['127.0.0.1:5000/a/b', '127.0.0.1:5000/a/b:latest', '127.0.0.1:5000/a/b:latest'],
    ['[::1]:5000/a:b', '[::1]:5000/a:b', '[::1]:5000/a:b'],
    ['[2001:db8::1]/a', '[2001:db8::1]/a:latest', '[2001:db8::1]/a:latest'],
    ['a'.repeat(247), `docker.io/library/${'a'.repeat(247)}:latest`, `${'a'.repeat(247)}:latest`],
    [`a.example/x:${'t'.repeat(128)}`, `a.example/x:${'t'.repeat(128)}`, `a.example/x:${'t'.repeat(128)}`],
    ['HOST.example/a', 'HOST.example/a:latest', 'HOST.example/a:latest'],
    [`python@${DIGEST}`, `docker.io/library/python@${DIGEST}`, `python@${DIGEST}`],
    [`a.example/x:1@${DIGEST}`, `a.example/x:1@${DIGEST}`, `a.example/x:1@${DIGEST}`],
    ['a/b__c/d--e', 'docker.io/a/b__c/d--e:latest', 'a/b__c/d--e:latest'],
  ])('%s', (text, full, familiar) => {
    const reference = parsed(text)
    expect(formatReference(reference)).toBe(full)
    expect(familiarReference(reference)).toBe(familiar)
  })

  test.each([
    ['', 'empty'],
    ['Python', '"Python" must be lower case'],
    ['Org/app', '"Org" must be lower case'],
    ['org/App:1', '"App" must be lower case'],
    ['a//b', 'a part between slashes is empty'],
    ['a/', 'a part between slashes is empty'],
    ['a.example/', 'the repository is missing'],
    [':tag', 'the repository is missing'],
    ['a:', 'its tag is not'],
    ['a:b c', 'its tag is not'],
    [`a:${'t'.repeat(129)}`, 'its tag is not'],
    ['a@sha256:abc', 'its digest is not'],
    [`a@sha512:${'0'.repeat(128)}`, 'its digest is not'],
    ['a___b', 'single separators'],
    ['-a.example/x', 'is no registry host'],
    ['user:pass@host/x', 'its digest is not'],
    ['a.example:99999/x', '"a.example:99999" is no registry host'],
    ['[:::]/x', '"[:::]" is no registry host'],
    ['999.1.1.1/x', '"999.1.1.1" is no registry host'],
    [`${'a/'.repeat(200)}a`, 'longer than 255'],
    ['a'.repeat(248), 'longer than 255'],
    ['x'.repeat(2000), 'longer than 1024'],
    ['f'.repeat(64), 'image ID'],
  ])('the mistake in %j is named', (text, mistake) => {
    expect(parseReference(text)).toEqual(expect.stringContaining(mistake))
  })
})

const part = fc.stringMatching(/^[a-z0-9]{1,6}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,6}){0,2}$/)
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
const hubPath = fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/'))
const host = fc.oneof(
  fc.constantFrom('localhost', '[::1]:5000', 'ghcr.io', '127.0.0.1:80'),
  fc
    .tuple(fc.stringMatching(/^[a-z]{1,5}\.[a-z]{2,4}$/), fc.option(fc.integer({ min: 1, max: 65_535 })))
    .map(([domain, port]) => (port === null ? domain : `${domain}:${port}`)),
)
const name = fc.oneof(
  fc.record({ registry: host, path }),
  fc.record({ registry: fc.constant('docker.io'), path: hubPath }),
)
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/)
const digest = fc.string().map((text) => digestOf(text))
const reference: fc.Arbitrary<ImageReference> = fc.oneof(
  fc.tuple(name, tag).map(([repository, text]) => ({ ...repository, tag: text })),
  fc.tuple(name, digest).map(([repository, value]) => ({ ...repository, digest: value })),
  fc.tuple(name, tag, digest).map(([repository, text, value]) => ({ ...repository, tag: text, digest: value })),
)

describe('for any reference', () => {
  test('reading its full form gives it back', () => {
    fc.assert(fc.property(reference, (value) => expect(parseReference(formatReference(value))).toEqual(value)))
  })

  test('reading its familiar form gives it back', () => {
    fc.assert(fc.property(reference, (value) => expect(parseReference(familiarReference(value))).toEqual(value)))
  })

  test('a text either has a mistake, or printing and reading it again changes nothing', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9.:/@_-]{0,30}$/))
    fc.assert(
      fc.property(texts, (text) => {
        const first = parseReference(text)
        if (typeof first !== 'string') expect(parseReference(formatReference(first))).toEqual(first)
      }),
    )
  })
})

test('a Hub repository that looks like a host keeps its registry in the familiar form', () => {
  const odd: ImageReference = { registry: 'docker.io', path: 'a.b/c', tag: '1' }
  expect(familiarReference(odd)).toBe('docker.io/a.b/c:1')
})

test('a new tag leaves the digest behind, a new digest keeps the tag', () => {
  const pinned = parsed(`ghcr.io/a/b:1@${DIGEST}`)
  expect(withTag(pinned, '2')).toEqual({ registry: 'ghcr.io', path: 'a/b', tag: '2' })
  expect(withDigest(pinned, digestOf('y'))).toEqual({ ...pinned, digest: digestOf('y') })
  expect(() => withTag(pinned, 'not a tag')).toThrow(RangeError)
})

function parsed(text: string): ImageReference {
  const result = parseReference(text)
  if (typeof result === 'string') throw new Error(result)
  return result
}
