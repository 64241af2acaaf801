import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { isDigest } from '../base/digest.ts'
import { isJsonList, isJsonRecord, parseJson, textField } from '../base/json-value.ts'
import type { Store } from '../stores/store.ts'
import type { PastKey, PastPart } from './explain-miss.ts'
import { historyPrefix, isPartKind, type TaskSubject } from './task-key.ts'
import { readOrigin } from './task-record.ts'

const FORMAT = 1
/** Keys that a history holds, newest first. */
const MOST_KEYS = 10
/** Bytes that a history may unpack to; a larger one isn't ours. */
const MOST_BYTES = 64 * 1024 * 1024

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** The latest keys of a task, newest first; empty when there are none or they can't be read: they only explain. */
export async function fetchHistory(store: Store, subject: TaskSubject): Promise<readonly PastKey[]> {
  const answer = await store.fetch(historyPrefix(subject))
  return answer.kind === 'hit' ? decodeHistory(answer.body) : []
}

/** A history with one more key before the others. */
export function encodeHistory(latest: PastKey, earlier: readonly PastKey[]): Promise<Uint8Array> {
  const keys = [latest, ...earlier.filter(({ key }) => key !== latest.key)].slice(0, MOST_KEYS)
  const compact = keys.map(({ parts, ...rest }) => ({
    ...rest,
    parts: parts.map(({ kind, name, digest, shown }) => [kind, name, digest, ...(shown === undefined ? [] : [shown])]),
  }))
  return compress(JSON.stringify({ format: FORMAT, keys: compact }), {
    params: { [constants.ZSTD_c_checksumFlag]: 1 },
  })
}

/** Reads a history; whatever isn't as it was written is left out. */
export async function decodeHistory(body: Uint8Array): Promise<readonly PastKey[]> {
  try {
    const text = await decompress(body, { maxOutputLength: MOST_BYTES })
    const value = parseJson(text)
    if (!isJsonRecord(value) || value.format !== FORMAT || !isJsonList(value.keys)) return []
    return value.keys.flatMap((key) => readPastKey(key) ?? [])
  } catch {
    return []
  }
}

function readPastKey(value: unknown): PastKey | undefined {
  if (!isJsonRecord(value) || typeof value.madeAt !== 'number' || !isJsonList(value.parts)) return undefined
  const key = textField(value, 'key')
  if (key === undefined || !isDigest(key)) return undefined
  const parts = value.parts.flatMap((part) => readPart(part) ?? [])
  return { key, madeAt: value.madeAt, origin: readOrigin(value.origin), parts }
}

function readPart(value: unknown): PastPart | undefined {
  if (!isJsonList(value)) return undefined
  const [kind, name, digest, shown] = value
  if (typeof kind !== 'string' || !isPartKind(kind) || typeof name !== 'string' || typeof digest !== 'string') {
    return undefined
  }
  return typeof shown === 'string' ? { kind, name, digest, shown } : { kind, name, digest }
}
