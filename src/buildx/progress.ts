import { findFailedStep } from './progress-failure.ts'
import { overlapOf, unionOf } from './progress-intervals.ts'
import type { Redact } from './progress-log.ts'
import { isRawLog, isRawStatus, isRawVertex, isRawWarning, parseMessage } from './progress-message.ts'
import { StepRecord } from './progress-step.ts'
import { parseTime } from './progress-time.ts'
import type {
  BlobPull,
  BuildStep,
  BuildTimeline,
  BuildWarning,
  PushSpan,
  StepKind,
  TimelineSpan,
} from './progress-timeline.ts'
import { readWarning } from './progress-warning.ts'

export type { BuildTimeline } from './progress-timeline.ts'

export interface ProgressOptions {
  /** Log lines kept for each step. */
  readonly logLines?: number
  /** Plain lines kept of the stream. */
  readonly textLines?: number
  /**
   * Takes secrets out of every text that a timeline shows. It has to be done here: the output of commands is in base64,
   * so no secret can be found in a line of the stream, and a change of the line itself could break its JSON.
   */
  readonly redact?: Redact
}

/** Reads a build's progress while it comes. */
export interface Progress {
  /** Takes one line of what `buildx build --progress rawjson` writes to standard error; never throws. */
  push(line: string): void
  /** What is known so far; unchanged steps are the same objects as before. */
  snapshot(): BuildTimeline
}

/** Starts reading a build's progress. Give it what takes secrets out, and the lines as they came. */
export function createProgress(options: ProgressOptions = {}): Progress {
  return new ProgressReader(options.logLines ?? 30, options.textLines ?? 60, options.redact ?? ((text) => text))
}

const LONGEST_TEXT = 4000
const LAYERS = 'pushing layers'
const MANIFEST = 'pushing manifest for '

class ProgressReader implements Progress {
  readonly #logLines: number
  readonly #textLines: number
  readonly #redact: Redact
  readonly #steps = new Map<string, StepRecord>()
  readonly #warnings: BuildWarning[] = []
  #text: string[] = []
  #malformed = 0
  #origin: number | undefined
  #latest = 0

  constructor(logLines: number, textLines: number, redact: Redact) {
    this.#logLines = logLines
    this.#textLines = textLines
    this.#redact = redact
  }

  push(line: string): void {
    const message = parseMessage(line)
    if (message === undefined) {
      this.#pushText(line)
      return
    }
    for (const vertex of this.#list(message.vertexes, isRawVertex)) {
      if (this.#origin === undefined && vertex.started !== undefined) this.#origin = parseTime(vertex.started)
      this.#seen(this.#step(vertex.digest).update(vertex))
    }
    for (const status of this.#list(message.statuses, isRawStatus)) {
      this.#seen(this.#step(status.vertex ?? '').updateStatus(status))
    }
    for (const log of this.#list(message.logs, isRawLog)) {
      this.#seen(this.#step(log.vertex ?? '').addLog(log, this.#logLines))
    }
    for (const warning of this.#list(message.warnings, isRawWarning))
      this.#warnings.push(readWarning(warning, this.#redact))
  }

  snapshot(): BuildTimeline {
    const origin = this.#origin ?? 0
    const all = [...this.#steps.values()].map((record) => record.freeze(origin))
    const steps = all.map(({ step }) => step).sort(byStart)
    const elapsed = this.#origin === undefined ? 0 : Math.max(0, Math.round((this.#latest - origin) * 1000) / 1000)
    const pushes = steps.flatMap(pushesOf).sort((a, b) => a.start - b.start)
    const cacheExports = spansOf(steps, 'cache-export')
    const pulls = eachBlobOnce(all.flatMap((frozen) => frozen.pulls))
    return {
      startedAt: this.#origin,
      elapsed,
      // A status without a step (BuildKit 0.28) has made a nameless one.
      steps: steps.filter(({ name }) => name !== ''),
      pushes,
      cacheExports,
      cacheImports: spansOf(steps, 'cache-import'),
      exports: spansOf(steps, 'export'),
      pulls,
      pulledBytes: pulls.reduce((sum, { bytes }) => sum + bytes, 0),
      warnings: [...this.#warnings],
      overlap: Math.round(overlapOf(unionOf(pushes, elapsed), unionOf(cacheExports, elapsed)) * 1000) / 1000,
      executedRuns: steps.filter(isExecutedRun),
      failed: findFailedStep(steps, this.#text),
      text: this.#text.slice(-this.#textLines),
      malformed: this.#malformed,
    }
  }

  #pushText(line: string): void {
    if (line.trim() === '') return
    this.#text.push(this.#redact(line).slice(0, LONGEST_TEXT))
    if (this.#text.length > 4 * this.#textLines) this.#text = this.#text.slice(-this.#textLines)
  }

  #step(digest: string): StepRecord {
    let step = this.#steps.get(digest)
    if (step === undefined) {
      step = new StepRecord(digest, this.#redact)
      this.#steps.set(digest, step)
    }
    return step
  }

  #seen(time: number | undefined): void {
    if (time !== undefined && time > this.#latest) this.#latest = time
  }

  #list<T>(value: unknown, isItem: (item: unknown) => item is T): readonly T[] {
    if (value === undefined || value === null) return []
    if (!Array.isArray(value)) {
      this.#malformed += 1
      return []
    }
    const items = value.filter(isItem)
    this.#malformed += value.length - items.length
    return items
  }
}

function byStart(a: BuildStep, b: BuildStep): number {
  const left = a.intervals[0]?.start ?? Number.POSITIVE_INFINITY
  const right = b.intervals[0]?.start ?? Number.POSITIVE_INFINITY
  return left === right ? 0 : left - right
}

function spansOf(steps: readonly BuildStep[], kind: StepKind): readonly TimelineSpan[] {
  return steps
    .filter((step) => step.kind === kind)
    .flatMap((step) => step.intervals.map(({ start, end, error }) => spanOf(step, step.text, start, end, error)))
    .sort((a, b) => a.start - b.start)
}

/** Pushes are statuses of an image exporter's step; with the docker driver the client pushes in a step of its own. */
function pushesOf(step: BuildStep): readonly PushSpan[] {
  if (step.kind === 'push') {
    const [, target] = /^pushing (.+) with docker$/.exec(step.text) ?? []
    return step.intervals.map(({ start, end, error }) => ({ ...spanOf(step, step.text, start, end, error), target }))
  }
  const pushes = step.statuses.filter(({ id }) => id === LAYERS || id.startsWith(MANIFEST))
  // Several names of one output are pushed one after the other: the manifest that follows tells whose layers they were.
  return pushes.map(({ id, start, end }, at) => {
    const manifest = id === LAYERS ? pushes[at + 1]?.id : id
    const target = manifest?.startsWith(MANIFEST) ? manifest.slice(MANIFEST.length) : undefined
    return { ...spanOf(step, id, start, end, at === pushes.length - 1 ? step.error : undefined), target }
  })
}

function spanOf(
  step: BuildStep,
  name: string,
  start: number,
  end: number | undefined,
  error: string | undefined,
): TimelineSpan {
  return { name, step: step.digest, start, end, error }
}

/** Several steps that wait for one download all show it: the first that did is the one that asked for it. */
function eachBlobOnce(pulls: readonly BlobPull[]): readonly BlobPull[] {
  const first = new Map<string, BlobPull>()
  for (const pull of [...pulls].sort((a, b) => a.start - b.start)) {
    const before = first.get(pull.blob)
    if (before === undefined) first.set(pull.blob, pull)
    else if (pull.bytes > before.bytes) first.set(pull.blob, { ...before, bytes: pull.bytes, end: pull.end })
  }
  return [...first.values()]
}

function isExecutedRun(step: BuildStep): boolean {
  const work = step.kind === 'run' || step.kind === 'copy' || step.kind === 'instruction'
  return work && !step.cached && step.intervals.length > 0
}
