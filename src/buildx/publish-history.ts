import { isJsonList, isJsonRecord, parseJson } from '../base/json-value.ts'

/** What a run's publishing took. */
export interface PublishRecord {
  readonly mode: string
  /** Seconds of the push, of the export, and from the first one's start to the last one's end. */
  readonly push: number
  readonly export: number
  readonly seconds: number
  /** Compressed bytes of the image's layers that were not in the run before. */
  readonly bytes: number
}

/** Seconds that each leg is expected to take. */
export interface LegForecast {
  readonly push: number
  readonly export: number
  readonly seconds: number
}

/** Records that are kept: links change, and so do images. */
const KEPT = 12
/** Bytes below which a run says nothing about a link. */
const ENOUGH_BYTES = 5e6

/** The records with a new one; the oldest go. */
export function withRecord(history: readonly PublishRecord[], record: PublishRecord): readonly PublishRecord[] {
  return [...history, record].slice(-KEPT)
}

export function encodeHistory(history: readonly PublishRecord[], layers: readonly string[]): string {
  return JSON.stringify({ version: 1, history, layers })
}

/** @returns records and digests of the last image's layers; both are empty where the text is anything else */
export function decodeHistory(text: string): {
  readonly history: readonly PublishRecord[]
  readonly layers: readonly string[]
} {
  const value = parseJson(Buffer.from(text))
  if (!isJsonRecord(value) || value.version !== 1) return { history: [], layers: [] }
  return {
    history: isJsonList(value.history) ? value.history.filter(isPublishRecord) : [],
    layers: isJsonList(value.layers) ? value.layers.filter((layer) => typeof layer === 'string') : [],
  }
}

/** What the last runs of this mode let expect: the median of each leg. */
export function predictLegs(history: readonly PublishRecord[], mode: string): LegForecast | undefined {
  const same = history.filter((record) => record.mode === mode)
  const push = median(same.map((record) => record.push))
  if (push === undefined) return undefined
  return {
    push,
    export: median(same.map((record) => record.export)) ?? 0,
    seconds: median(same.map((record) => record.seconds)) ?? 0,
  }
}

/** Bytes a second that a push got through the link, the median of the runs that sent enough to tell. */
export function linkSpeed(history: readonly PublishRecord[]): number | undefined {
  const telling = history.filter(({ bytes, push }) => bytes >= ENOUGH_BYTES && push > 0)
  // At once with an export, a push has only a part of the link: it is faster than measured, never slower.
  return median(telling.map(({ bytes, push }) => bytes / push))
}

/** What publishing a byte took in this mode, in seconds; undefined where no run sent enough to tell. */
export function secondsPerByte(history: readonly PublishRecord[], mode: string): number | undefined {
  const telling = history.filter((record) => record.mode === mode && record.bytes >= ENOUGH_BYTES)
  return median(telling.map(({ seconds, bytes }) => seconds / bytes))
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)]
}

function isPublishRecord(value: unknown): value is PublishRecord {
  if (!isJsonRecord(value) || typeof value.mode !== 'string') return false
  return [value.push, value.export, value.seconds, value.bytes].every(
    (number) => typeof number === 'number' && Number.isFinite(number) && number >= 0,
  )
}
