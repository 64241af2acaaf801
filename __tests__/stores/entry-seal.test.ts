import { describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { signedSeal } from '../../src/stores/entry-seal.ts'

const secret = 'a secret of this test'
const main = signedSeal({ secret, writes: 'trusted/main', reads: ['trusted/main'] })
const pull = signedSeal({ secret, writes: 'pull/7', reads: ['pull/7', 'trusted/main'] })
const digest = digestOf('content')

describe('a signature', () => {
  test('of a scope that is read is believed', () => {
    expect(main.doubt('k', digest, main.mark('k', digest))).toBeUndefined()
    expect(pull.doubt('k', digest, main.mark('k', digest))).toBeUndefined()
  })

  test.each([
    ['of a scope that is not read', pull.mark('k', digest), /pull\/7, which is not read/],
    ['with the name of another scope', pull.mark('k', digest).replace('pull/7', 'trusted/main'), /is wrong/],
    ['of another key', main.mark('j', digest), /is wrong/],
    ['of another content', main.mark('k', digestOf('other')), /is wrong/],
    ['of zeros', `signed ${'0'.repeat(64)} trusted/main`, /is wrong/],
    ['that is none', '', /is not signed/],
    ['of another form', 'signed trusted/main', /is not signed/],
  ])('%s is not', (_, mark, reason) => {
    expect(main.doubt('k', digest, mark)).toMatch(reason)
  })

  test('does not hold the secret, and fits into a footer', () => {
    const longest = signedSeal({ secret, writes: `trusted/${'x'.repeat(113)}`, reads: [] })
    expect(longest.mark('k'.repeat(512), digest)).not.toContain(secret)
    expect(longest.mark('k'.repeat(512), digest).length).toBeLessThanOrEqual(300)
  })
})
