import { describe, expect, test } from '@jest/globals'
import { OutputLines } from '../../src/exec/output-lines.ts'

const MIB = 1024 * 1024

function linesOf(chunks: readonly Buffer[]): string[] {
  const seen: string[] = []
  const lines = new OutputLines((line) => seen.push(line))
  for (const chunk of chunks) lines.push(chunk)
  lines.end()
  return seen
}

describe('lines of output', () => {
  test.each([
    ['no line', '', []],
    ['one line', 'a\n', ['a']],
    ['a last line without an end', 'a\nb', ['a', 'b']],
    ['empty lines', '\n\n', ['', '']],
    ['carriage returns before the line end', 'a\r\nb\rc\r\n', ['a', 'b\rc']],
    ['characters of several bytes', 'é→😀\nü', ['é→😀', 'ü']],
  ])('with %s are the same however the bytes are cut into chunks', (_, text, expected) => {
    const bytes = Buffer.from(text)
    expect(linesOf([bytes])).toEqual(expected)
    expect(linesOf([...bytes].map((byte) => Buffer.from([byte])))).toEqual(expected)
    for (let cut = 0; cut < bytes.length; cut += 1) {
      expect(linesOf([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(expected)
    }
  })

  test('that never end are handed on in pieces', () => {
    const seen = linesOf(Array.from({ length: 40 }, () => Buffer.alloc(MIB / 10, 'x')))
    expect(seen.length).toBeGreaterThan(2)
    expect(seen.join('')).toHaveLength(40 * Math.floor(MIB / 10))
  })
})

describe('kept output', () => {
  test('is all of it when it is short', () => {
    const lines = new OutputLines()
    for (const text of ['a', '', 'bé\n']) lines.push(Buffer.from(text))
    expect(lines.text()).toBe('abé\n')
  })

  test.each([1, 1000, 70_000, 3 * MIB])('is the last MiB, in chunks of %i bytes', (size) => {
    const all = Buffer.from(Array.from({ length: 300_000 }, (_, index) => `${index}`).join('\n'))
    const lines = new OutputLines()
    // Single bytes at the end only: a million chunks would tell no more.
    const cut = size === 1 ? all.length - 2000 : 0
    lines.push(all.subarray(0, cut))
    for (let at = cut; at < all.length; at += size) lines.push(all.subarray(at, at + size))
    expect(lines.text()).toBe(all.subarray(-MIB).toString())
  })

  test('does not begin in the middle of a character', () => {
    const lines = new OutputLines()
    lines.push(Buffer.from('😀'.repeat(MIB / 4)))
    lines.push(Buffer.from('xy'))
    expect(lines.text()).toBe(`${'😀'.repeat(MIB / 4 - 1)}xy`)
  })
})
