import { redact } from '../base/redact.ts'

/** Characters of a log that are kept: its end tells most. */
const MOST = 1024 * 1024
const MASK = /^\s*::add-mask::(.*)$/

/** What a task prints, as it is kept: without secrets, the last 1 MiB. */
export class KeptLog {
  readonly #secrets: string[]
  #lines: string[] = []
  #length = 0
  #dropped = 0

  constructor(secrets: readonly string[]) {
    this.#secrets = [...secrets]
  }

  /** Adds a line. A line that tells the runner to mask a value is obeyed and not kept. */
  add(line: string): void {
    const [, value] = MASK.exec(line) ?? []
    if (value !== undefined) {
      if (value.trim() !== '') this.#secrets.push(value.trim())
      return
    }
    this.#lines.push(line)
    this.#length += line.length + 1
    while (this.#length > MOST && this.#lines.length > 1) {
      this.#length -= (this.#lines.shift()?.length ?? 0) + 1
      this.#dropped += 1
    }
  }

  /** The lines, with everything masked that was known as a secret at any time. */
  lines(): readonly string[] {
    const clean = this.#lines.map((line) => redact(line, this.#secrets))
    return this.#dropped === 0 ? clean : [`(${this.#dropped} earlier lines were not kept)`, ...clean]
  }

  /** Masks in a text what is masked in the log. */
  clean(text: string): string {
    return redact(text, this.#secrets)
  }
}
