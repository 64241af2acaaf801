import { stripVTControlCharacters } from 'node:util'

/** Says that something long still goes on. */
export interface Ticker {
  /** What happens just now; shown at the next tick. */
  say(words: string): void
  stop(): void
}

export interface TickerOptions {
  readonly stream: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number }
  /** Stands before the seconds. */
  readonly what: string
}

const LIVE = 250
const HEARTBEAT = 30_000

/** On a terminal one line that is drawn over; elsewhere a line each 30 seconds. */
export function startTicker({ stream, what }: TickerOptions): Ticker {
  const started = performance.now()
  const live = stream.isTTY === true
  let words = ''
  const draw = (): void => {
    const line = tickerLine(what, (performance.now() - started) / 1000, words, (stream.columns ?? 100) - 1)
    stream.write(live ? `\r\u001b[2K${line}` : `${line}\n`)
  }
  const timer = setInterval(draw, live ? LIVE : HEARTBEAT)
  timer.unref()
  return {
    say: (text) => {
      words = text
    },
    stop: () => {
      clearInterval(timer)
      if (live) stream.write('\r\u001b[2K')
    },
  }
}

/** One line, no wider than the terminal. */
export function tickerLine(what: string, seconds: number, words: string, width: number): string {
  const clean = stripVTControlCharacters(words).replace(/\s+/g, ' ').trim()
  const line = `${what} ${Math.round(seconds)} s${clean === '' ? '' : `: ${clean}`}`
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`
}
