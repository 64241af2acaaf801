import { describe, expect, test } from '@jest/globals'
import { timelineRows } from '../../src/report/timeline-rows.ts'
import { digest, manySteps, recordedTimeline, statusLine, timelineOf, vertexLine } from '../support/rawjson-streams.ts'

describe('rows of a timeline', () => {
  test('creating the image ends where the push begins, also where one interval holds both', () => {
    for (const stream of ['v0.27.1-sequential', 'v0.33.1-parallel']) {
      const rows = timelineRows(recordedTimeline(stream)).filter(({ section }) => section === 'publish')
      const [create, push, cache] = rows
      expect(rows.map(({ state }) => state)).toEqual(['export', 'push', 'cache-export'])
      expect(create?.bars.at(-1)?.end).toBeLessThanOrEqual((push?.bars[0]?.start ?? 0) + 1)
      expect(cache?.label).toBe('cache to registry')
    }
  })

  test('each target of a push has a row', () => {
    const labels = (stream: string) =>
      timelineRows(recordedTimeline(stream))
        .filter(({ state }) => state === 'push')
        .map(({ label }) => label)
    expect(labels('v0.33.1-two-names')).toEqual(['push 127.0.0.1:5101/m1:1', 'push 127.0.0.1:5102/m1:1'])
    expect(labels('v0.33.1-two-outputs').sort()).toEqual(['push 127.0.0.1:5101/m2:1', 'push 127.0.0.1:5102/m2:1'])
  })

  test('a small build is shown whole but for preparation', () => {
    const labels = timelineRows(recordedTimeline('v0.33.1-two-outputs')).map(({ label }) => label)
    expect(labels).toContain('4 preparation steps')
    expect(labels.filter((label) => label.startsWith('stage-1: '))).toHaveLength(4)
  })

  test.each([10, 60, 600])('%d steps fit into the rows that there are, every step counted once', (count) => {
    const timeline = timelineOf(manySteps(count, 3))
    const rows = timelineRows(timeline, 20)
    expect(rows.length).toBeLessThanOrEqual(20)
    expect(rows.reduce((sum, { steps }) => sum + steps, 0)).toBe(count)
    expect(rows.filter(({ state }) => state === 'failed')).toHaveLength(1)
  })

  test('a cached step that had to be pulled for long is not folded away', () => {
    const rows = timelineRows(
      timelineOf([
        vertexLine({ id: 1, name: '[a 1/4] RUN x', start: 0, end: 1, cached: true }),
        vertexLine({ id: 2, name: '[a 2/4] RUN y', start: 1, end: 2, cached: true }),
        vertexLine({ id: 3, name: '[a 3/4] RUN heavy', start: 2, end: 800, cached: true }),
        statusLine(3, digest(9), [2, 700], [5e8, 5e8]),
        vertexLine({ id: 4, name: '[a 4/4] RUN z', start: 800, end: 1000 }),
      ]),
    )
    expect(rows.map(({ label, pulledBytes }) => [label, pulledBytes])).toEqual([
      ['2 cached steps', 0],
      ['a: RUN heavy', 5e8],
      ['a: RUN z', 0],
    ])
  })

  test('what began before the build, on a shared builder, is cut at its start', () => {
    const [shared] = timelineRows(
      timelineOf([
        vertexLine({ id: 1, name: '[a 1/2] RUN x', start: 500, end: 600 }),
        vertexLine({ id: 2, name: '[b 1/2] RUN y', start: 0, end: 900 }),
      ]),
    )
    expect(shared?.bars).toEqual([{ start: 0, end: 400 }])
  })
})
