/** A JSON object from outside, whose fields are still to be checked. */
export type JsonRecord = Readonly<Record<string, unknown>>

/** The value of a JSON text, or undefined when it is none. */
export function parseJson(content: Uint8Array | string): unknown {
  try {
    return JSON.parse(typeof content === 'string' ? content : new TextDecoder().decode(content))
  } catch {
    return undefined
  }
}

export function isJsonRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isJsonList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

/** A text field, or undefined when it isn't there or isn't a text. */
export function textField(record: JsonRecord, name: string): string | undefined {
  const value = record[name]
  return typeof value === 'string' ? value : undefined
}

/** The text fields of a record such as annotations or labels; anything else in it is left out. */
export function textRecord(value: unknown): Readonly<Record<string, string>> {
  if (!isJsonRecord(value)) return {}
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** The texts of a list; empty when it is no list. */
export function textList(value: unknown): readonly string[] {
  return isJsonList(value) ? value.filter((item) => typeof item === 'string') : []
}
