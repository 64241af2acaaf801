import { readFileSync } from 'node:fs'
import { createProgress } from '../../src/buildx/progress.ts'
import type { BuildTimeline } from '../../src/buildx/progress-timeline.ts'

const FOLDER = new URL('../fixtures/rawjson/', import.meta.url)

/** Lines of a progress stream that a real builder wrote, by name without `rawjson-` and the extension. */
export function recordedLines(name: string): readonly string[] {
  return readFileSync(new URL(`rawjson-${name}.jsonl`, FOLDER), 'utf8').split('\n')
}

/** The timeline of a recorded stream, or of its first lines. */
export function recordedTimeline(name: string, lines = Number.POSITIVE_INFINITY): BuildTimeline {
  return timelineOf(recordedLines(name).slice(0, lines))
}

export function timelineOf(lines: readonly string[]): BuildTimeline {
  const progress = createProgress()
  for (const line of lines) progress.push(line)
  return progress.snapshot()
}

const EPOCH = Date.UTC(2026, 0, 1)

/** A time in a made-up stream, milliseconds after its start. */
export function at(milliseconds: number): string {
  return new Date(EPOCH + milliseconds).toISOString()
}

/** A digest in a made-up stream. */
export function digest(number: number): string {
  return `sha256:${number.toString(16).padStart(64, '0')}`
}

export interface MadeStep {
  readonly id: number
  readonly name: string
  readonly start?: number
  readonly end?: number
  readonly cached?: boolean
  readonly error?: string
  /** Ids of the steps that it needs. */
  readonly inputs?: readonly number[]
}

/** A line about one interval of a step. */
export function vertexLine({ id, name, start, end, cached, error, inputs }: MadeStep): string {
  const times = {
    ...(start === undefined ? {} : { started: at(start) }),
    ...(end === undefined ? {} : { completed: at(end) }),
  }
  const needs = inputs?.map(digest)
  return JSON.stringify({ vertexes: [{ digest: digest(id), name, ...times, cached, error, inputs: needs }] })
}

/** A line about a part of a step; `bytes` as current of total. */
export function statusLine(
  id: number,
  name: string,
  [start, end]: readonly [number, number?],
  [current, total]: readonly [number, number] = [0, 0],
): string {
  const completed = end === undefined ? {} : { completed: at(end) }
  const times = { timestamp: at(end ?? start), started: at(start), ...completed }
  return JSON.stringify({ statuses: [{ id: name, vertex: digest(id), current, total, ...times }] })
}

/** A line with a piece of a command's output. */
export function logLine(id: number, text: string | Uint8Array): string {
  const data = Buffer.from(text).toString('base64')
  return JSON.stringify({ logs: [{ vertex: digest(id), stream: 1, data, timestamp: at(0) }] })
}

/** A stream of so many steps of very different lengths on several stages, every fourth one cached. */
export function manySteps(count: number, failedStep = -1): readonly string[] {
  let time = 0
  return Array.from({ length: count }, (_, id) => {
    const cached = id % 4 === 0
    const length = cached ? 1 : ((id * 37) % 11) ** 3 * 10 + 5
    const command = id % 3 === 0 ? 'COPY --link a:b /c' : 'RUN pip install "torch==2.1" && x | y; # done'
    const error = id === failedStep ? { error: 'exit code: 1' } : {}
    const start = time
    time += id % 2 === 0 ? length / 3 : length
    const name = `[deps-${id % 7} ${id}/${count}] ${command} ${id}`
    return vertexLine({ id, name, start: Math.round(start), end: Math.round(start + length), cached, ...error })
  })
}
