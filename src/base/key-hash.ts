import { createHash, type Hash, hash } from 'node:crypto'
import { type Digest, hashedDigest } from './digest.ts'

/** What may stand in a key: nested lists and records of plain values. */
export type KeyValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | Uint8Array
  | readonly KeyValue[]
  | { readonly [name: string]: KeyValue }

/**
 * Hash of a structured value in which no two different values share an encoding: each value is written as a type
 * letter, its length, and its bytes, so neighbours can't run into each other (`["ab","c"]` and `["a","bc"]` differ).
 * Record fields are sorted by name and undefined fields left out; lists keep their order.
 */
export function keyHash(value: KeyValue): Digest {
  // A call for each piece would take longer than the hashing; most values are hashed in one.
  let text = ''
  let begun: Hash | undefined
  const flush = (): Hash => {
    begun = (begun ?? createHash('sha256')).update(text)
    text = ''
    return begun
  }
  write(value, (tag, bytes) => {
    if (typeof bytes === 'string') text += `${tag}${Buffer.byteLength(bytes)}:${bytes}`
    else {
      text += `${tag}${bytes.length}:`
      flush().update(bytes)
    }
    if (text.length > LONG) flush()
  })
  return hashedDigest(begun === undefined ? hash('sha256', text, 'hex') : flush().digest('hex'))
}

/** Characters that are hashed at once. */
const LONG = 16_384

type Put = (tag: string, bytes: string | Uint8Array) => void

function write(value: KeyValue, put: Put): void {
  if (value === null || value === undefined) put('z', '')
  else if (typeof value === 'string') put('s', value)
  else if (typeof value === 'number') put('n', String(value))
  else if (typeof value === 'boolean') put('b', value ? '1' : '0')
  else if (value instanceof Uint8Array) put('y', value)
  else if (isList(value)) writeList(value, put)
  else writeRecord(value, put)
}

function writeList(value: readonly KeyValue[], put: Put): void {
  put('l', String(value.length))
  for (const item of value) write(item, put)
}

function writeRecord(value: { readonly [name: string]: KeyValue }, put: Put): void {
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  put('r', String(fields.length))
  for (const [name, field] of fields) {
    put('k', name)
    write(field, put)
  }
}

function isList(value: KeyValue): value is readonly KeyValue[] {
  return Array.isArray(value)
}
