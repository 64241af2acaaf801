/** A vertex as a line of `--progress rawjson` has it (BuildKit, client/graph.go). Times are RFC 3339 texts. */
export interface RawVertex {
  readonly digest: string
  readonly name?: string
  readonly inputs?: readonly string[]
  readonly started?: string
  readonly completed?: string
  readonly cached?: boolean
  readonly error?: string
}

export interface RawStatus {
  readonly id: string
  readonly vertex?: string
  readonly current?: number
  readonly total?: number
  readonly timestamp?: string
  readonly started?: string
  readonly completed?: string
}

export interface RawLog {
  readonly vertex?: string
  readonly stream?: number
  /** Base64. */
  readonly data: string
  readonly timestamp?: string
}

export interface RawWarning {
  /** Base64, as each line of `detail`. */
  readonly short?: string
  readonly detail?: readonly string[]
  readonly url?: string
  readonly sourceInfo?: unknown
  readonly range?: unknown
}

type Fields = { readonly [name: string]: unknown }

/** The four lists of a progress line, unchecked; undefined when the line is no such message. */
export function parseMessage(line: string): Fields | undefined {
  if (line.charCodeAt(0) !== 123) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return isFields(value) && ('vertexes' in value || 'statuses' in value || 'logs' in value || 'warnings' in value)
      ? value
      : undefined
  } catch {
    return undefined
  }
}

export function isRawVertex(value: unknown): value is RawVertex {
  return (
    isFields(value) &&
    typeof value.digest === 'string' &&
    isTextOrNone(value.name) &&
    isTextOrNone(value.started) &&
    isTextOrNone(value.completed) &&
    isTextOrNone(value.error) &&
    (value.cached === undefined || typeof value.cached === 'boolean') &&
    (value.inputs === undefined || isTexts(value.inputs))
  )
}

export function isRawStatus(value: unknown): value is RawStatus {
  return (
    isFields(value) &&
    typeof value.id === 'string' &&
    isTextOrNone(value.vertex) &&
    isTextOrNone(value.timestamp) &&
    isTextOrNone(value.started) &&
    isTextOrNone(value.completed) &&
    isNumberOrNone(value.current) &&
    isNumberOrNone(value.total)
  )
}

export function isRawLog(value: unknown): value is RawLog {
  return (
    isFields(value) && typeof value.data === 'string' && isTextOrNone(value.vertex) && isTextOrNone(value.timestamp)
  )
}

export function isRawWarning(value: unknown): value is RawWarning {
  return (
    isFields(value) &&
    isTextOrNone(value.short) &&
    isTextOrNone(value.url) &&
    (value.detail === undefined || isTexts(value.detail))
  )
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTextOrNone(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

function isNumberOrNone(value: unknown): value is number | undefined {
  return value === undefined || typeof value === 'number'
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
