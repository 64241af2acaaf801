import { type Digest, isDigest } from '../base/digest.ts'
import {
  isJsonList,
  isJsonRecord,
  type JsonRecord,
  parseJson,
  textField,
  textList,
  textRecord,
} from '../base/json-value.ts'
import type { OutputEntry } from './output-manifest.ts'
import type { TaskOrigin } from './task-deps.ts'

/** A kept result without the content of its files. */
export interface TaskRecord {
  readonly key: Digest
  readonly name: string
  /** Milliseconds since 1970, by the clock of the process that made it. */
  readonly madeAt: number
  /** How long the task ran. */
  readonly seconds: number
  readonly origin: TaskOrigin
  readonly log: readonly string[]
  readonly values: Readonly<Record<string, string>>
  readonly outputs: readonly OutputEntry[]
}

const FORMAT = 1

export function encodeRecord(record: TaskRecord): Uint8Array {
  return Buffer.from(JSON.stringify({ format: FORMAT, ...record }))
}

/** Reads a record; undefined when anything of it is not as it was written. */
export function decodeRecord(body: Uint8Array): TaskRecord | undefined {
  const value = parseJson(body)
  if (!isJsonRecord(value) || value.format !== FORMAT) return undefined
  const [key, name] = [textField(value, 'key'), textField(value, 'name')]
  const outputs = isJsonList(value.outputs) ? value.outputs.map(readOutput) : [undefined]
  const known = outputs.filter((output) => output !== undefined)
  if (key === undefined || !isDigest(key) || name === undefined || known.length !== outputs.length) return undefined
  if (!isAmount(value.madeAt) || !isAmount(value.seconds) || !isJsonRecord(value.values)) return undefined
  return {
    key,
    name,
    madeAt: value.madeAt,
    seconds: value.seconds,
    origin: readOrigin(value.origin),
    log: textList(value.log),
    values: textRecord(value.values),
    outputs: known,
  }
}

/** Reads where a result was made; what isn't a text is left out. */
export function readOrigin(value: unknown): TaskOrigin {
  if (!isJsonRecord(value)) return {}
  const [run, commit] = [textField(value, 'run'), textField(value, 'commit')]
  return { ...(run === undefined ? {} : { run }), ...(commit === undefined ? {} : { commit }) }
}

function readOutput(value: unknown): OutputEntry | undefined {
  if (!isJsonRecord(value)) return undefined
  const path = textField(value, 'path')
  if (path === undefined) return undefined
  if (value.kind === 'file') return readFileOutput(path, value)
  if (value.kind === 'folder') return isMode(value.mode) ? { kind: 'folder', path, mode: value.mode } : undefined
  const target = textField(value, 'target')
  return value.kind === 'link' && target !== undefined ? { kind: 'link', path, target } : undefined
}

function readFileOutput(path: string, { mode, size, digest }: JsonRecord): OutputEntry | undefined {
  if (!isMode(mode) || !isAmount(size) || typeof digest !== 'string' || !isDigest(digest)) return undefined
  return { kind: 'file', path, mode, size, digest }
}

function isMode(value: unknown): value is number {
  return isAmount(value) && Number.isInteger(value) && value <= 0o777
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
