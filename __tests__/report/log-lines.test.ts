import { describe, expect, test } from '@jest/globals'
import { failureLines, reportLines } from '../../src/report/log-lines.ts'
import { buildReport } from '../support/build-report.ts'
import { logLine, recordedTimeline, timelineOf, vertexLine } from '../support/rawjson-streams.ts'

describe('a report for a log', () => {
  test('is lines with tables in columns', () => {
    const { timeline: _, ...report } = buildReport()
    const lines = reportLines({ ...report, digest: undefined })
    expect(lines.slice(0, 8)).toEqual([
      'registry.example/team/app: built in 29.6 s, 1 of 3 layers built, 12 kB pulled, 13.1 MB pushed, saved 2 min 9 s',
      '  no image has this content yet',
      '  tags 1.2 latest',
      '',
      'Layers',
      '  layer                size  state   why',
      '  base image        45.0 MB  reused  unchanged',
      '  torch and 4 more   1.6 GB  reused  same lines as before',
    ])
    expect(lines).toContain('     9  left       RUN a | b                            several commands in one step')
    expect(lines.at(-1)).toBe('warning: Dockerfile:3: the cache is read-only')
  })

  test('is no wider than asked, and no cell breaks a line', () => {
    const lines = reportLines(buildReport({ reason: `first\nsecond ${'x'.repeat(500)}` }), 80)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(lines.join('').includes('\n')).toBe(false)
  })

  test('has no empty tables', () => {
    const bare = buildReport({ layers: [], dockerfileSteps: [], caches: [], checks: [], stages: [], warnings: [] })
    expect(reportLines(bare)).toHaveLength(4)
  })

  test('tells how long push and cache export ran side by side', () => {
    const lines = reportLines(buildReport({ timeline: recordedTimeline('v0.33.1-parallel') }))
    expect(lines).toContain('Push and cache export ran side by side for 12.1 s.')
  })
})

describe('what failed', () => {
  test('is the step with the last lines of its command', () => {
    const timeline = timelineOf([
      vertexLine({ id: 1, name: '[2/3] RUN false', start: 0, end: 9, error: 'exit code: 1' }),
      logLine(1, 'one\ntwo\nthree\n'),
    ])
    expect(failureLines(buildReport({ timeline }), 2)).toEqual(['[2/3] RUN false', '  two', '  three', 'exit code: 1'])
  })

  test('is the plain text of the client when no step failed', () => {
    expect(failureLines(buildReport({ timeline: timelineOf(['ERROR: no builder']) }))).toEqual(['ERROR: no builder'])
    expect(failureLines(buildReport())).toEqual([])
  })
})
