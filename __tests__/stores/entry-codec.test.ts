import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decodeEntry, encodeEntry, readEntryKey } from '../../src/stores/entry-codec.ts'

const keys = fc.stringMatching(/^[a-z0-9._-]{1,512}$/)
const bodies = fc.uint8Array({ maxLength: 3000 })

test('an entry comes back as it was written', () => {
  fc.assert(
    fc.property(keys, bodies, (key, body) => {
      const bytes = encodeEntry({ key, body })
      expect(decodeEntry(bytes)).toEqual({ key, body })
      expect(readEntryKey(bytes.subarray(0, 1024))).toBe(key)
    }),
  )
})

test('an entry with any byte changed is refused', () => {
  fc.assert(
    fc.property(keys, bodies, fc.nat(), fc.integer({ min: 1, max: 255 }), (key, body, place, change) => {
      const bytes = Buffer.from(encodeEntry({ key, body }))
      const at = place % bytes.length
      bytes.writeUInt8(bytes.readUInt8(at) ^ change, at)
      expect(decodeEntry(bytes)).toBeUndefined()
    }),
  )
})

test('an entry that is shorter or longer than it was is refused', () => {
  fc.assert(
    fc.property(keys, bodies, fc.nat(), (key, body, length) => {
      const bytes = encodeEntry({ key, body })
      expect(decodeEntry(bytes.subarray(0, length % bytes.length))).toBeUndefined()
      expect(decodeEntry(Buffer.concat([bytes, Buffer.from('x')]))).toBeUndefined()
    }),
  )
})

test.each(['', 'image-cache-entry 1', 'something else\n1\n2\n3'])('%j is no entry', (text) => {
  expect(decodeEntry(Buffer.from(text))).toBeUndefined()
  expect(readEntryKey(Buffer.from(text))).toBeUndefined()
})
