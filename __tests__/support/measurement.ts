import type { BuildReport } from '../../src/report/report.ts'
import type { Measurement } from '../../tools/measure/measure-build.ts'

/** A measured build with what matters to a test. */
export function measurement(facts: Partial<Measurement>): Measurement {
  return {
    way: 'ours',
    shape: 'cold',
    change: '',
    seconds: 1,
    pulledBytes: 0,
    pushedBytes: 0,
    pulledOwnBytes: 0,
    requests: 0,
    layersBuilt: 0,
    layersReused: 0,
    runs: 0,
    skipped: false,
    report: emptyReport,
    ...facts,
  }
}

const emptyReport: BuildReport = {
  image: 'registry.example/app',
  tags: [],
  outcome: 'built',
  reason: 'the image was not there',
  seconds: 1,
  layers: [],
  dockerfileSteps: [],
  caches: [],
  checks: [],
  warnings: [],
  inputs: [],
  stages: [],
}
