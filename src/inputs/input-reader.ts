import { parse } from 'csv-parse/sync'
import { ImageCacheError, messageOf } from '../base/errors.ts'

/** Raw text of an input by its name in action.yml; empty when not given. */
export type ReadInput = (name: string) => string

/**
 * Reads raw inputs into values and gathers every mistake on the way, so that people see all of them at once.
 * Each message names the input and quotes what it got.
 */
export class InputReader {
  readonly #read: ReadInput
  readonly #label: (name: string) => string
  readonly #mistakes: string[] = []

  /** @param label how a message calls an input: by its name alone, or by its place in a file */
  constructor(read: ReadInput, label = (name: string): string => name) {
    this.#read = read
    this.#label = label
  }

  text(name: string): string | undefined {
    const value = this.#read(name).trim()
    return value === '' ? undefined : value
  }

  /** `true` or `false` in the spellings of YAML 1.2's core schema, as GitHub's own inputs take them. */
  flag(name: string): boolean {
    const value = this.text(name) ?? 'false'
    const isTrue = /^(true|True|TRUE)$/.test(value)
    if (!isTrue && !/^(false|False|FALSE)$/.test(value)) this.mistake(name, value, 'is not one of true, false')
    return isTrue
  }

  /** One of the choices; a mistake counts as the first. */
  choice<Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const value = this.text(name) ?? ''
    const found = choices.find((choice) => choice === value)
    if (found === undefined) this.mistake(name, value, `is not one of ${choices.join(', ')}`)
    return found ?? choices[0]
  }

  /** One value a line; blank lines and lines that begin with `#` are left out. */
  lines(name: string): readonly string[] {
    return this.#read(name)
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
  }

  /** Values on lines or between commas; a quoted value may hold commas (CSV, as docker's actions read lists). */
  list(name: string): readonly string[] {
    try {
      return this.lines(name).flatMap((line) => splitCsv(line))
    } catch (error) {
      this.mistake(name, this.#read(name).trim(), `is not a list: ${messageOf(error)}`)
      return []
    }
  }

  /** `name=value` lines; values may hold `=` and commas. */
  pairs(name: string): ReadonlyMap<string, string> {
    const pairs = new Map<string, string>()
    for (const line of this.lines(name)) {
      const at = line.indexOf('=')
      if (at < 1) this.mistake(name, line, 'is not NAME=VALUE')
      else pairs.set(line.slice(0, at), line.slice(at + 1))
    }
    return pairs
  }

  /** Like `lines`, but a value in double quotes may span lines; quotes inside are doubled (docker's form for secrets). */
  quotedLines(name: string): readonly string[] {
    const entries: string[] = []
    let open: string | undefined
    for (const line of this.#read(name).split(/\r?\n/)) {
      const text = open === undefined ? line.trimStart() : `${open}\n${line}`
      if (text.trim() === '') continue
      const quotes = text.split('"').length - 1
      open = /^"/.test(text) && quotes % 2 === 1 ? text : undefined
      if (open === undefined)
        entries.push(
          text
            .trimEnd()
            .replace(/^"([\s\S]*)"$/, '$1')
            .replaceAll('""', '"'),
        )
    }
    if (open !== undefined) this.mistake(name, `entry ${entries.length + 1}`, 'has no closing quote')
    return entries
  }

  mistake(name: string, value: string, why: string): void {
    this.#mistakes.push(`${this.#label(name)}: ${JSON.stringify(value)} ${why}`)
  }

  /** Every mistake so far, for a caller that gathers those of several readers. */
  mistakes(): readonly string[] {
    return this.#mistakes
  }

  /** @throws ImageCacheError E_INPUT with every mistake so far. */
  finish(): void {
    if (this.#mistakes.length === 0) return
    throw inputError(this.#mistakes, 'The inputs are described in the README, under "Inputs".')
  }
}

/** The error that tells all mistakes at once. */
export function inputError(mistakes: readonly string[], hint: string): ImageCacheError {
  return new ImageCacheError('E_INPUT', mistakes.join('; '), { hint })
}

/** The fields of one CSV line, trimmed, without empty ones. @throws Error when a quote is left open. */
export function splitCsv(line: string): readonly string[] {
  // Without quotes it is but a list, of which a file of tasks has hundreds.
  if (!line.includes('"')) return tidy(line.split(','))
  const rows: string[][] = parse(line, { relaxColumnCount: true, relaxQuotes: true, skipEmptyLines: true })
  return rows.flatMap(tidy)
}

function tidy(fields: readonly string[]): readonly string[] {
  return fields.map((field) => field.trim()).filter((field) => field !== '')
}
