import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'

const LONGEST_LINE = 2000

/** Takes secrets out of a text. */
export type Redact = (text: string) => string

/**
 * Keeps the last lines of a text that comes in pieces, without control sequences. Secrets are taken out of whole lines,
 * because a piece may end within one.
 */
export class LogTail {
  readonly #keep: number
  readonly #redact: Redact
  readonly #streams = new Map<number, { readonly decoder: StringDecoder; rest: string }>()
  #lines: string[] = []

  constructor(keep: number, redact: Redact) {
    this.#keep = keep
    this.#redact = redact
  }

  /** Takes a piece of a stream (1 or 2) in base64; pieces may end within a line or a character. */
  push(stream: number, base64: string): void {
    let state = this.#streams.get(stream)
    if (state === undefined) {
      state = { decoder: new StringDecoder('utf8'), rest: '' }
      this.#streams.set(stream, state)
    }
    const pieces = state.decoder.write(Buffer.from(base64, 'base64')).split('\n')
    for (let at = 0; at < pieces.length - 1; at += 1) {
      this.#add(this.#cut(state.rest + (pieces[at] ?? '')))
      state.rest = ''
    }
    state.rest = this.#cut(state.rest + (pieces.at(-1) ?? ''))
  }

  /** The last lines, the ones that are still open included. */
  lines(): readonly string[] {
    const open = [...this.#streams.values()].map(({ rest }) => rest).filter((rest) => rest !== '')
    return [...this.#lines, ...open].slice(-this.#keep).map((line) => this.#show(line))
  }

  /** The end is what counts of a long line. A secret that is cut would not be found any more: it goes first. */
  #cut(line: string): string {
    return line.length > 4 * LONGEST_LINE ? this.#redact(line).slice(-2 * LONGEST_LINE) : line
  }

  #add(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > 2 * this.#keep) this.#lines = this.#lines.slice(-this.#keep)
  }

  /** A line as a terminal would show it in the end: of what was written over only the last, without colours. */
  #show(line: string): string {
    const whole = this.#redact(line).replace(/\r+$/, '')
    const last = stripVTControlCharacters(whole.slice(whole.lastIndexOf('\r') + 1))
    // Colours within a secret have hidden it until now.
    return this.#redact(last).slice(-LONGEST_LINE)
  }
}
