import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { digestOf } from '../../src/base/digest.ts'
import { decodeEntry, decodeFooter, encodeEntry, FOOTER_BYTES } from '../../src/stores/entry-codec.ts'
import { extractFile, readFooter, sealFile, unsealFile } from '../../src/stores/entry-file.ts'
import { openSeal } from '../../src/stores/entry-seal.ts'

const keys = fc.stringMatching(/^[a-z0-9._-]{1,512}$/)
const bodies = fc.uint8Array({ maxLength: 3000 })
const folder = mkdtempSync(join(tmpdir(), 'entry-codec-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('an entry comes back as it was written', () => {
  fc.assert(
    fc.property(keys, bodies, (key, body) => {
      const bytes = encodeEntry({ key, body })
      expect(decodeEntry(bytes, key)).toEqual({ key, body })
      expect(decodeFooter(bytes.subarray(-FOOTER_BYTES))).toMatchObject({ key, digest: digestOf(body) })
    }),
  )
})

test('an entry with any byte changed is refused', () => {
  fc.assert(
    fc.property(keys, bodies, fc.nat(), fc.integer({ min: 1, max: 255 }), (key, body, place, change) => {
      const bytes = Buffer.from(encodeEntry({ key, body }))
      const at = place % bytes.length
      bytes.writeUInt8(bytes.readUInt8(at) ^ change, at)
      expect(decodeEntry(bytes, key)).toMatch(/^the (entry|content) /)
    }),
    // A blank behind the last line that becomes the end of a line.
    { examples: [['-', new Uint8Array(), 95, 42]] },
  )
})

test('an entry that is shorter or longer than it was is refused', () => {
  fc.assert(
    fc.property(keys, bodies, fc.nat(), (key, body, length) => {
      const bytes = encodeEntry({ key, body })
      expect(decodeEntry(bytes.subarray(0, length % bytes.length), key)).toMatch(/^the entry /)
      expect(decodeEntry(Buffer.concat([bytes, Buffer.from('x')]), key)).toMatch(/^the entry /)
    }),
  )
})

test('an entry of another key is refused', () => {
  expect(decodeEntry(encodeEntry({ key: 'a', body: new Uint8Array() }), 'b')).toBe(
    'the entry was written under another key',
  )
})

test.each(['', 'image-cache-entry 2', 'something else\n1\n2\n3'])('%j is no entry', (text) => {
  expect(decodeEntry(Buffer.from(text), 'k')).toMatch(/not one of ours/)
  expect(decodeEntry(Buffer.from(text.padEnd(FOOTER_BYTES)), 'k')).toMatch(/not one of ours/)
})

test('a file becomes the same entry as a body, and a file again', async () => {
  const [from, entry, to] = ['from', 'entry', 'to'].map((name) => join(folder, name))
  if (from === undefined || entry === undefined || to === undefined) throw new Error('no paths')
  writeFileSync(from, 'content')
  expect(await sealFile(from, entry, 'k', openSeal)).toEqual({ bytes: 7, digest: digestOf('content') })
  expect(readFileSync(entry).equals(encodeEntry({ key: 'k', body: Buffer.from('content') }))).toBe(true)
  expect(await readFooter(entry)).toMatchObject({ key: 'k' })
  expect(await extractFile(entry, to, 'k', openSeal)).toEqual({ bytes: 7, digest: digestOf('content') })
  expect(readFileSync(to, 'utf8')).toBe('content')
  expect(await unsealFile(entry, 'j', openSeal)).toBe('the entry was written under another key')
  rmSync(to)
  expect(await extractFile(entry, to, 'j', openSeal)).toBe('the entry was written under another key')
  expect(readdirSync(folder)).not.toContain('to')
})
