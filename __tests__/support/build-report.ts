import { digestOf } from '../../src/base/digest.ts'
import type { BuildReport } from '../../src/report/report.ts'

/** A report of a build with everything in it, to be changed by a test. */
export function buildReport(changes: Partial<BuildReport> = {}): BuildReport {
  return {
    image: 'registry.example/team/app',
    digest: digestOf('manifest'),
    tags: ['1.2', 'latest'],
    outcome: 'built',
    reason: 'no image has this content yet',
    contentKey: digestOf('content'),
    seconds: 29.6,
    savedSeconds: 129,
    layers: [
      { what: 'base image', packages: [], bytes: 45e6, state: 'reused', why: 'unchanged' },
      {
        what: 'torch and 4 more',
        packages: ['torch 2.15', 'triton 3.1', 'cublas 12.8', 'cudnn 9.1', 'nccl 2.2'],
        bytes: 1.6e9,
        state: 'reused',
        why: 'same lines as before',
      },
      { what: 'light packages', packages: ['rich 13.9'], bytes: 12e6, state: 'built', why: 'rich was added' },
    ],
    dockerfileSteps: [
      { line: 4, text: 'RUN pip install -r requirements.txt', what: 'rewritten', reason: 'became 2 layers' },
      { line: 9, text: 'RUN a | b', what: 'left', reason: 'several commands in one step' },
    ],
    caches: [{ what: 'export registry.example/team/app:cache', outcome: 'failed', detail: '403 Forbidden' }],
    checks: [{ what: 'record', outcome: 'missing', detail: 'no record for this content' }],
    warnings: [{ message: 'the cache is read-only', file: 'Dockerfile', line: 3 }],
    inputs: [
      ['tags', '1.2'],
      ['secrets', ''],
    ],
    pulledBytes: 12_000,
    pushedBytes: 13.1e6,
    stages: [{ name: 'content key', seconds: 0.012 }],
    ...changes,
  }
}
