import type { Clock } from '../base/clock.ts'
import type { BuildOutcome, BuildReport, ReportStage } from '../report/report.ts'

/** Gathers what a run has to tell while it runs, so that a failed or cancelled run can tell it, too. */
export class ReportDraft {
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #stages: ReportStage[] = []
  #facts: Omit<BuildReport, 'outcome' | 'reason' | 'seconds' | 'stages'>

  /** @param startedAt milliseconds since 1970: the start of the process, so that loading counts */
  constructor(image: string, inputs: BuildReport['inputs'], startedAt: number, clock: Clock) {
    this.#clock = clock
    this.#startedAt = startedAt
    this.#facts = { image, inputs, tags: [], layers: [], dockerfileSteps: [], caches: [], checks: [], warnings: [] }
  }

  /** Runs one stage of the line and keeps how long it took, also when it fails. */
  async stage<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
    const from = this.#clock.now()
    try {
      return await run()
    } finally {
      this.#stages.push({ name, seconds: (this.#clock.now() - from) / 1000 })
    }
  }

  /** Adds facts; lists are added to what is there. */
  add(facts: Partial<BuildReport>): void {
    const { layers = [], dockerfileSteps = [], caches = [], checks = [], warnings = [], ...single } = facts
    const before = this.#facts
    this.#facts = {
      ...before,
      ...single,
      layers: [...before.layers, ...layers],
      dockerfileSteps: [...before.dockerfileSteps, ...dockerfileSteps],
      caches: [...before.caches, ...caches],
      checks: [...before.checks, ...checks],
      warnings: [...before.warnings, ...warnings],
    }
  }

  /** Seconds since the run began. */
  seconds(): number {
    return (this.#clock.now() - this.#startedAt) / 1000
  }

  finish(outcome: BuildOutcome, reason: string, hint?: string): BuildReport {
    const seconds = this.seconds()
    const { fullSeconds } = this.#facts
    const isDone = outcome === 'built' || outcome === 'skipped'
    const saved = fullSeconds === undefined || !isDone ? {} : { savedSeconds: Math.max(0, fullSeconds - seconds) }
    return { ...this.#facts, ...saved, outcome, reason, hint, seconds, stages: this.#stages }
  }
}
