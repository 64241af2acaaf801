import { parse } from 'csv-parse/sync'
import { messageOf } from '../base/errors.ts'

/**
 * Fields of a buildx option such as `type=image,"name=a,b",push=true`: one CSV line of `name=value`, names lower case.
 * A field without `=` counts as `true`.
 * @returns what is wrong when it can't be read.
 */
export function splitFields(text: string): ReadonlyMap<string, string> | string {
  try {
    const rows: string[][] = parse(text, { relaxColumnCount: true })
    const fields = (rows[0] ?? []).map((field): [string, string] => {
      const at = field.indexOf('=')
      return at < 0
        ? [field.trim().toLowerCase(), 'true']
        : [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1)]
    })
    return new Map(fields)
  } catch (error) {
    return `is not a list of name=value: ${messageOf(error)}`
  }
}
