import { LogTail, type Redact } from './progress-log.ts'
import type { RawLog, RawStatus, RawVertex } from './progress-message.ts'
import { parseStepName, type StepName } from './progress-name.ts'
import { parseTime } from './progress-time.ts'
import type { BlobPull, BuildStep, StepInterval, StepStatus } from './progress-timeline.ts'

interface OpenPart {
  readonly started: number
  completed: number | undefined
}

interface OpenInterval extends OpenPart {
  cached: boolean
  error: string | undefined
}

interface OpenStatus extends OpenPart {
  readonly id: string
  current: number
  total: number
}

/** A step as seen at one moment, with the blobs that its statuses counted. */
export interface FrozenStep {
  readonly step: BuildStep
  readonly pulls: readonly BlobPull[]
}

const BLOB = /^sha256:[0-9a-f]{64}$/
const FETCHED = /^(extracting )?sha256:[0-9a-f]{64}$/

/**
 * What is known of one vertex, growing. Intervals are kept by their start and statuses by id and start, because both
 * come several times under one name and an update repeats the start of what it updates.
 */
export class StepRecord {
  readonly digest: string
  readonly #redact: Redact
  #rawName = ''
  #name: StepName & { readonly name: string }
  #inputs: readonly string[] = []
  #error: string | undefined
  readonly #intervals = new Map<string, OpenInterval>()
  readonly #statuses = new Map<string, OpenStatus>()
  #logs: LogTail | undefined
  #frozen: FrozenStep | undefined

  /** @param redact takes secrets out of all texts that the step shows */
  constructor(digest: string, redact: Redact) {
    this.digest = digest
    this.#redact = redact
    this.#name = { name: '', ...parseStepName('') }
  }

  /** @returns the latest time that the update names, in milliseconds since 1970. */
  update(vertex: RawVertex): number | undefined {
    this.#frozen = undefined
    if (vertex.name !== undefined && vertex.name !== this.#rawName) {
      this.#rawName = vertex.name
      const name = this.#redact(vertex.name)
      this.#name = { name, ...parseStepName(name) }
    }
    if (vertex.inputs !== undefined) this.#inputs = vertex.inputs
    const started = vertex.started === undefined ? undefined : parseTime(vertex.started)
    if (vertex.started === undefined || started === undefined) {
      this.#error = this.#errorOf(vertex) ?? this.#error
      return undefined
    }
    let interval = this.#intervals.get(vertex.started)
    if (interval === undefined) {
      interval = { started, completed: undefined, cached: false, error: undefined }
      this.#intervals.set(vertex.started, interval)
    }
    interval.cached ||= vertex.cached === true
    interval.error = this.#errorOf(vertex) ?? interval.error
    interval.completed = parseEnd(vertex.completed) ?? interval.completed
    return interval.completed ?? started
  }

  /** @returns the latest time that the update names, in milliseconds since 1970. */
  updateStatus(raw: RawStatus): number | undefined {
    this.#frozen = undefined
    const key = `${raw.started ?? ''} ${raw.id}`
    let status = this.#statuses.get(key)
    if (status === undefined) {
      const started = parseEnd(raw.started ?? raw.timestamp)
      if (started === undefined) return undefined
      status = { id: this.#redact(raw.id), started, completed: undefined, current: 0, total: 0 }
      this.#statuses.set(key, status)
    }
    // A stream of another client's build may arrive out of order: counters only grow.
    status.current = Math.max(status.current, raw.current ?? 0)
    status.total = Math.max(status.total, raw.total ?? 0)
    status.completed = parseEnd(raw.completed) ?? status.completed
    return parseEnd(raw.timestamp) ?? status.completed
  }

  addLog(log: RawLog, keep: number): number | undefined {
    this.#frozen = undefined
    this.#logs ??= new LogTail(keep, this.#redact)
    this.#logs.push(log.stream ?? 0, log.data)
    return parseEnd(log.timestamp)
  }

  /** The step with times relative to `origin`, milliseconds since 1970; made anew only after an update. */
  freeze(origin: number): FrozenStep {
    this.#frozen ??= this.#freeze(origin)
    return this.#frozen
  }

  #errorOf({ error }: RawVertex): string | undefined {
    return error === undefined || error === '' ? undefined : this.#redact(error)
  }

  #freeze(origin: number): FrozenStep {
    const part = (open: OpenPart) => ({
      start: round(open.started - origin),
      end: open.completed === undefined ? undefined : round(open.completed - origin),
    })
    const intervals: StepInterval[] = [...this.#intervals.values()]
      .map((open) => ({ ...part(open), cached: open.cached, error: open.error }))
      .sort((a, b) => a.start - b.start)
    const statuses: StepStatus[] = [...this.#statuses.values()]
      .map((open) => ({ ...part(open), id: open.id, current: open.current, total: open.total }))
      .sort((a, b) => a.start - b.start)
    const pulls = pullsOf(this.digest, statuses)
    const step: BuildStep = {
      digest: this.digest,
      ...this.#name,
      inputs: this.#inputs,
      intervals,
      cached: intervals.some(({ cached }) => cached) && !ran(this.#name, intervals, statuses),
      error: intervals.length > 0 ? intervals.at(-1)?.error : this.#error,
      statuses,
      logs: this.#logs?.lines() ?? [],
      pulledBytes: pulls.reduce((sum, { bytes }) => sum + bytes, 0),
    }
    return { step, pulls }
  }
}

/**
 * A source (FROM) is looked up before its cached result is loaded, in an interval that isn't cached: its last one
 * decides. Any other cached step may be fetched later, when somebody needs its files: nothing ran then.
 */
function ran(name: StepName, intervals: readonly StepInterval[], statuses: readonly StepStatus[]): boolean {
  if (name.kind === 'from') return intervals.at(-1)?.cached === false
  const from = intervals.findIndex(({ cached }) => cached)
  return intervals.some((interval, at) => !interval.cached && (at < from || !isFetch(interval, statuses)))
}

/** Whether layers of a cached result were downloaded or unpacked in this interval. */
function isFetch({ start, end }: StepInterval, statuses: readonly StepStatus[]): boolean {
  return statuses.some(
    (status) => status.start >= start && status.start <= (end ?? status.start) && FETCHED.test(status.id),
  )
}

function pullsOf(step: string, statuses: readonly StepStatus[]): readonly BlobPull[] {
  const pulls = new Map<string, BlobPull>()
  for (const { id, start, end, current } of statuses) {
    if (!BLOB.test(id)) continue
    const before = pulls.get(id)
    if (before === undefined || current > before.bytes) pulls.set(id, { blob: id, bytes: current, step, start, end })
  }
  return [...pulls.values()]
}

function parseEnd(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseTime(text)
}

/** To microseconds: what is left of nanoseconds in a number is noise. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
