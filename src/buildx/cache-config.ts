import { isJsonList, isJsonRecord, type JsonRecord } from '../base/json-value.ts'

/** Media type of the config that a BuildKit registry cache keeps its records in. */
export const CACHE_CONFIG_MEDIA_TYPE = 'application/vnd.buildkit.cacheconfig.v0'

/** A cache key of BuildKit, with the results and the inputs it is known for (BuildKit, `cache/remotecache/v1/types`). */
export interface CacheRecord {
  readonly digest: string
  /** For each input of the step, the records that can stand for it. */
  readonly inputs: readonly (readonly CacheInput[])[]
  readonly hasResult: boolean
  /** The record as it was read; what isn't changed is written back as it stood. */
  readonly json: JsonRecord
}

export interface CacheInput {
  /** Index into the records. */
  readonly link: number
  readonly json: JsonRecord
}

export interface CacheConfig {
  readonly records: readonly CacheRecord[]
  readonly json: JsonRecord
}

/** The tidied config's JSON, or why the config stays as it is. */
export type TidyConfigResult =
  | { readonly kind: 'tidied'; readonly json: JsonRecord; readonly dropped: number; readonly kept: number }
  | { readonly kind: 'unchanged'; readonly reason: string }

const CONFIG_FIELDS: ReadonlySet<string> = new Set(['layers', 'records'])
const LAYER_FIELDS: ReadonlySet<string> = new Set(['blob', 'parent', 'annotations'])
const RECORD_FIELDS: ReadonlySet<string> = new Set(['layers', 'chains', 'digest', 'inputs'])
const RESULT_FIELDS: ReadonlySet<string> = new Set(['layer', 'createdAt'])
const CHAIN_FIELDS: ReadonlySet<string> = new Set(['layers', 'createdAt'])
const INPUT_FIELDS: ReadonlySet<string> = new Set(['selector', 'link'])

/**
 * Drops the records that have no result and that no record with a result needs as an input, however far down: BuildKit
 * would find their keys, have nothing to load for them, and run every step again. Layers stay as they are, since only
 * results point to them; order stays, so that the same cache gives the same bytes.
 * @param value the config's JSON value; a format that isn't known to the last field is left alone
 */
export function tidyCacheConfig(value: unknown): TidyConfigResult {
  const config = parseCacheConfig(value)
  if (typeof config === 'string') return { kind: 'unchanged', reason: config }
  const needed = neededRecords(config.records)
  const dropped = config.records.length - needed.size
  if (dropped === 0) return { kind: 'unchanged', reason: NO_DANGLING_RECORDS }

  const newIndex = new Map<number, number>()
  for (const index of config.records.keys()) if (needed.has(index)) newIndex.set(index, newIndex.size)
  const records = config.records.filter((_, index) => needed.has(index)).map((record) => relink(record, newIndex))
  return { kind: 'tidied', json: { ...config.json, records }, dropped, kept: records.length }
}

/** The reason that `tidyCacheConfig` gives when there is nothing to drop. */
export const NO_DANGLING_RECORDS = 'every record has a result or is needed by one that has'

/**
 * Checks a cache config down to its last field.
 * @returns the config, or a sentence that says what in it is not known
 */
export function parseCacheConfig(value: unknown): CacheConfig | string {
  if (!isJsonRecord(value)) return 'the cache config is no JSON object'
  const unknown = unknownField(value, CONFIG_FIELDS)
  if (unknown !== undefined) return `the cache config has an unknown field ${unknown}`
  const layers = value.layers ?? []
  const records = value.records ?? []
  if (!isJsonList(layers) || !isJsonList(records)) return 'layers and records of the cache config are not both lists'

  for (const [index, layer] of layers.entries()) {
    if (!isLayer(layer, layers.length)) return `layer ${index} of the cache config has an unknown form`
  }
  const parsed: CacheRecord[] = []
  for (const [index, json] of records.entries()) {
    const record = parseRecord(json, records.length, layers.length)
    if (record === undefined) return `record ${index} of the cache config has an unknown form`
    parsed.push(record)
  }
  return { records: parsed, json: value }
}

function neededRecords(records: readonly CacheRecord[]): ReadonlySet<number> {
  const needed = new Set<number>()
  const open = [...records.keys()].filter((index) => records[index]?.hasResult)
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (needed.has(index)) continue
    needed.add(index)
    for (const { link } of records[index]?.inputs.flat() ?? []) open.push(link)
  }
  return needed
}

function relink({ json, inputs }: CacheRecord, newIndex: ReadonlyMap<number, number>): JsonRecord {
  if (json.inputs === undefined) return json
  const relinked = inputs.map((choices) => choices.map((input) => ({ ...input.json, link: newIndex.get(input.link) })))
  return { ...json, inputs: relinked }
}

function parseRecord(json: unknown, recordCount: number, layerCount: number): CacheRecord | undefined {
  if (!isJsonRecord(json) || unknownField(json, RECORD_FIELDS) !== undefined) return undefined
  const { digest, inputs: inputLists = [], layers: results = [], chains = [] } = json
  if (typeof digest !== 'string' || digest === '') return undefined
  if (!isJsonList(inputLists) || !isJsonList(results) || !isJsonList(chains)) return undefined
  if (!results.every((result) => isResult(result, layerCount))) return undefined
  if (!chains.every((chain) => isChain(chain, layerCount))) return undefined

  const inputs: CacheInput[][] = []
  for (const list of inputLists) {
    // BuildKit itself refuses an input without any record ("invalid empty input").
    if (!isJsonList(list) || list.length === 0) return undefined
    const choices = list.map((item) => parseInput(item, recordCount)).filter((input) => input !== undefined)
    if (choices.length !== list.length) return undefined
    inputs.push(choices)
  }
  return { digest, inputs, hasResult: results.length > 0 || chains.length > 0, json }
}

function parseInput(json: unknown, recordCount: number): CacheInput | undefined {
  if (!isJsonRecord(json) || unknownField(json, INPUT_FIELDS) !== undefined) return undefined
  if (json.selector !== undefined && typeof json.selector !== 'string') return undefined
  return isIndex(json.link, recordCount) ? { link: json.link, json } : undefined
}

/** A layer without `parent` has layer 0 as its parent: Go leaves out a zero. */
function isLayer(json: unknown, layerCount: number): boolean {
  if (!isJsonRecord(json) || unknownField(json, LAYER_FIELDS) !== undefined) return false
  const { blob, parent = 0, annotations = {} } = json
  return typeof blob === 'string' && (parent === -1 || isIndex(parent, layerCount)) && isJsonRecord(annotations)
}

function isResult(json: unknown, layerCount: number): boolean {
  return isJsonRecord(json) && unknownField(json, RESULT_FIELDS) === undefined && isIndex(json.layer, layerCount)
}

function isChain(json: unknown, layerCount: number): boolean {
  if (!isJsonRecord(json) || unknownField(json, CHAIN_FIELDS) !== undefined) return false
  return isJsonList(json.layers) && json.layers.every((layer) => isIndex(layer, layerCount))
}

function isIndex(value: unknown, count: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < count
}

function unknownField(json: JsonRecord, known: ReadonlySet<string>): string | undefined {
  const name = Object.keys(json).find((field) => !known.has(field))
  return name === undefined ? undefined : JSON.stringify(name)
}
