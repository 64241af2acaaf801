import { describe, expect, test } from '@jest/globals'
import { auditPulls } from '../../src/buildx/pull-audit.ts'
import { digest, recordedTimeline, statusLine, timelineOf, vertexLine } from '../support/rawjson-streams.ts'

const whole = 53_161_000
const own = 11_003_842

describe('who made the builder pull layers, from streams that BuildKit wrote on an emptied builder', () => {
  test.each([
    ['run-on-top', 'run', '[4/4] RUN echo hi > /hi', whole, /stage of its own/],
    ['linked-copy-run', 'run', '[5/5] RUN echo hi', whole, /stage of its own/],
    ['plain-copy', 'copy', '[4/4] COPY app.txt /app.txt', whole, /COPY --link/],
    ['workdir', 'instruction', '[2/2] WORKDIR /zzz', whole + 104, /COPY --link/],
    ['oci-output', 'file-output', 'exporting to oci image format', whole + 104, /Push to a registry/],
    ['local-output', 'file-output', 'exporting to client directory', whole + 104, /Push to a registry/],
    ['force-compression', 'recompress', 'exporting to image', own, /force-compression/],
    ['rewrite-timestamp', 'rewrite-timestamp', 'exporting to image', own, /rewrite-timestamp/],
    ['other-registry', 'push', 'exporting to image', whole + 104, /in one registry/],
  ])('%s: %s', (name, cause, by, bytes, hint) => {
    const timeline = recordedTimeline(`v0.33.1-lazy-${name}`)
    expect(auditPulls(timeline)).toEqual([
      expect.objectContaining({ cause, by, bytes, hint: expect.stringMatching(hint) }),
    ])
  })

  test('a scan for an SBOM needs its own image and all layers', () => {
    const findings = auditPulls(recordedTimeline('v0.33.1-lazy-sbom-scan'))
    expect(findings.map(({ cause, bytes }) => [cause, bytes])).toEqual([['sbom', whole + 104]])
    expect(findings[0]?.hint).toMatch(/sbom/)
  })

  test.each(['all-cached', 'linked-copy'])('%s: nobody', (name) => {
    const timeline = recordedTimeline(`v0.33.1-lazy-${name}`)
    expect(auditPulls(timeline)).toEqual([])
    expect(timeline.pulledBytes).toBe(0)
  })

  test('a base image that a RUN works on had to be pulled', () => {
    const [finding, ...others] = auditPulls(recordedTimeline('v0.27.1-sequential'))
    expect(others).toEqual([])
    expect(finding).toMatchObject({ cause: 'run', cached: false, hint: undefined })
  })
})

test('a cached step whose layers are fetched later did not run', () => {
  const { executedRuns, steps } = recordedTimeline('v0.33.1-lazy-run-on-top')
  expect(executedRuns.map(({ text }) => text)).toEqual(['RUN echo hi > /hi'])
  expect(steps.filter(({ kind, cached }) => kind === 'run' && cached)).toHaveLength(2)
})

test('a step that is cut off by a failure before it starts is still the one that asked', () => {
  const timeline = timelineOf([
    vertexLine({ id: 1, name: '[1/2] RUN make', start: 0, end: 1, cached: true }),
    vertexLine({ id: 2, name: '[2/2] RUN test', inputs: [1] }),
    statusLine(1, digest(7), [1000, 2000], [500, 900]),
  ])
  expect(auditPulls(timeline)).toMatchObject([{ cause: 'run', by: '[2/2] RUN test', bytes: 500, time: 1000 }])
})
