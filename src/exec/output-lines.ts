import { StringDecoder } from 'node:string_decoder'

/** How much of each stream a result keeps, and how long a line may get before it is handed on in pieces. */
const KEPT = 1024 * 1024

/** Collects what a child writes to one stream: whole lines as they come, and the last 1 MiB for the result. */
export class OutputLines {
  readonly #decoder = new StringDecoder('utf8')
  readonly #onLine: ((line: string) => void) | undefined
  #line = ''
  #kept: Buffer[] = []
  #keptBytes = 0

  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine
  }

  push(chunk: Buffer): void {
    this.#keep(chunk)
    if (this.#onLine === undefined) return
    const lines = (this.#line + this.#decoder.write(chunk)).split('\n')
    this.#line = lines.pop() ?? ''
    for (const line of lines) this.#onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
    if (this.#line.length < KEPT) return
    this.#onLine(this.#line)
    this.#line = ''
  }

  /** Hands on a last line without an end. */
  end(): void {
    const last = this.#line + this.#decoder.end()
    this.#line = ''
    if (last !== '') this.#onLine?.(last)
  }

  /** The last 1 MiB, beginning with a whole character. */
  text(): string {
    const all = Buffer.concat(this.#kept)
    let start = Math.max(0, all.length - KEPT)
    // 10xxxxxx bytes continue a character whose beginning was dropped.
    while (start > 0 && start < all.length && (all.readUInt8(start) & 0xc0) === 0x80) start += 1
    return all.subarray(start).toString()
  }

  #keep(chunk: Buffer): void {
    this.#kept.push(chunk)
    this.#keptBytes += chunk.length
    let [oldest] = this.#kept
    while (oldest !== undefined && this.#keptBytes - oldest.length >= KEPT) {
      this.#kept.shift()
      this.#keptBytes -= oldest.length
      oldest = this.#kept[0]
    }
  }
}
