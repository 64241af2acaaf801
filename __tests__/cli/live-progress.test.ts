import { describe, expect, test } from '@jest/globals'
import { createProgress } from '../../src/buildx/progress.ts'
import { createLiveProgress, renderFrame, wantsColor } from '../../src/cli/live-progress.ts'
import {
  digest,
  logLine,
  manySteps,
  recordedLines,
  recordedTimeline,
  statusLine,
  timelineOf,
  vertexLine,
} from '../support/rawjson-streams.ts'

const SIZE = { columns: 60, rows: 12, color: false }

/** A display of a recorded stream with every line shown as it comes. */
function linesOf(stream: string): readonly string[] {
  const written: string[] = []
  const live = createLiveProgress({ writeLine: (line) => written.push(line), clock: { now: () => 0 } })
  const progress = createProgress()
  for (const line of recordedLines(stream)) {
    progress.push(line)
    live.update(progress.snapshot())
  }
  live.finish(progress.snapshot())
  return written
}

describe('a frame', () => {
  test('shows what runs with its seconds and last words, what is done, and counts what was cached', () => {
    const timeline = timelineOf([
      vertexLine({ id: 1, name: '[internal] load build definition from Dockerfile', start: 0, end: 10 }),
      vertexLine({ id: 2, name: '[base 1/2] RUN old', start: 10, end: 11, cached: true }),
      vertexLine({ id: 3, name: '[deps 1/2] RUN pip install rich', start: 20, end: 1520 }),
      vertexLine({ id: 4, name: '[app 1/2] RUN make', start: 1520 }),
      logLine(4, 'compiling\ncc \u001b[1mmain.c\u001b[0m'),
    ])
    expect(renderFrame(timeline, { ...SIZE, now: 4020 }).split('\n')).toEqual([
      '4.0 s, 1 running, 1 done, 1 cached',
      '✓ deps: RUN pip install rich                          1.5 s',
      '▸ app: RUN make                                       2.5 s',
      '    cc main.c',
    ])
  })

  test('shows how far a pull is', () => {
    const timeline = timelineOf([
      vertexLine({ id: 1, name: '[1/2] FROM base', start: 0 }),
      statusLine(1, digest(5), [1], [30e6, 100e6]),
      statusLine(1, digest(6), [1], [20e6, 54.5e6]),
      statusLine(1, digest(7), [1, 2], [9e6, 9e6]),
    ])
    expect(renderFrame(timeline, { ...SIZE, now: 100 })).toContain('\n    50.0 MB of 154.5 MB')
  })

  test('shows push and cache export as lanes; the push goes on between layers and manifest', () => {
    const frame = renderFrame(recordedTimeline('v0.33.1-parallel', 47), { ...SIZE, now: 10_000 })
    expect(frame.split('\n').slice(-2)).toEqual([
      '▸ push                                                3.2 s',
      '▸ exporting cache to registry                         3.2 s',
    ])
    const end = renderFrame(recordedTimeline('v0.33.1-parallel'), { ...SIZE, now: 30_000 })
    expect(end.split('\n').slice(-2)).toEqual([
      '✓ push 127.0.0.1:5101/app33:1                        12.1 s',
      '✓ exporting cache to registry                        22.8 s',
    ])
  })

  test.each([
    [40, 6],
    [60, 12],
    [200, 50],
  ])('fits a terminal of %d columns and %d rows at every moment of a build', (columns, rows) => {
    for (const stream of ['v0.27.1-sequential', 'v0.33.1-two-outputs', 'v0.33.1-cache-error-fatal']) {
      for (let count = 1; count < recordedLines(stream).length; count += 7) {
        const timeline = recordedTimeline(stream, count)
        const lines = renderFrame(timeline, { columns, rows, color: false, now: timeline.elapsed + 5 }).split('\n')
        expect(lines.length).toBeLessThan(rows)
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns)
      }
    }
  })

  test('of 600 steps fits too', () => {
    const open = Array.from({ length: 60 }, (_, id) =>
      vertexLine({ id: 1000 + id, name: `[x ${id}/60] RUN y`, start: 5 }),
    )
    const frame = renderFrame(timelineOf([...manySteps(600), ...open]), { ...SIZE, now: 9e5 })
    expect(frame.split('\n').length).toBeLessThan(SIZE.rows)
    expect(frame).toContain('60 running')
  })

  test('has colours only when asked', () => {
    const timeline = recordedTimeline('v0.33.1-parallel')
    const plain = renderFrame(timeline, { ...SIZE, now: 0 })
    const painted = renderFrame(timeline, { ...SIZE, color: true, now: 0 })
    expect(plain.includes('\u001b')).toBe(false)
    expect(painted.includes('\u001b[32m✓')).toBe(true)
  })

  test('lets no control sequence of a step through', () => {
    const timeline = timelineOf([vertexLine({ id: 1, name: '[1/1] RUN \u001b]0;x\u0007\u001b[2J\r\nevil', start: 0 })])
    const frame = renderFrame(timeline, { ...SIZE, now: 0 })
    expect(['\u001b', '\r', '\u0007'].filter((character) => frame.includes(character))).toEqual([])
  })
})

describe('plain lines', () => {
  test('say each thing once, in the order in which it ended', () => {
    expect(linesOf('v0.33.1-parallel').map((line) => line.replace(/RUN echo .*(\/\w+) /, 'RUN … $1 '))).toEqual([
      '✓ builder: RUN … /a 1.7 s',
      '✓ builder: RUN … /c 0.94 s',
      '✓ stage-1: COPY --from=builder /c /c 0.13 s',
      '✓ stage-1: RUN … /r1 0.49 s',
      '✓ stage-1: RUN … /r2 0.70 s',
      '✓ stage-1: COPY app.txt /app.txt 0.05 s',
      '✓ exporting to image 2.5 s',
      '✓ push 127.0.0.1:5101/app33:1 12.1 s',
      '✓ exporting cache to registry 22.8 s',
      '29.6 s: 6 steps ran, 0 cached',
    ])
  })

  test('tell what was pulled', () => {
    expect(linesOf('v0.27.1-sequential').filter((line) => line.includes('74.5 MB pulled'))).toHaveLength(1)
  })

  test('show an error with the last lines of the command', () => {
    const written: string[] = []
    const live = createLiveProgress({ writeLine: (line) => written.push(line), clock: { now: () => 0 } })
    live.finish(
      timelineOf([
        vertexLine({ id: 1, name: '[1/1] RUN false', start: 0, end: 1000, error: 'exit code: 1' }),
        logLine(1, 'one\ntwo\n'),
      ]),
    )
    expect(written[0]).toBe('✗ RUN false 1.0 s: exit code: 1\n    one\n    two')
  })

  test('give a sign of life every half minute, by our clock, though the builder has another one', () => {
    const written: string[] = []
    let now = 5_000_000
    const live = createLiveProgress({ writeLine: (line) => written.push(line), clock: { now: () => now } })
    const timeline = timelineOf([vertexLine({ id: 1, name: '[1/1] RUN slow', start: 0 })])
    for (let second = 0; second < 70; second += 1) {
      live.update(timeline)
      now += 1000
    }
    expect(written).toEqual(['  RUN slow: still running after 30.0 s', '  RUN slow: still running after 60.0 s'])
  })
})

describe('a terminal', () => {
  test('gets frames while it runs, and in the end plain lines that stay', () => {
    const events: string[] = []
    const screen = Object.assign((frame: string) => events.push(`frame ${frame.split('\n')[0]}`), {
      clear: () => events.push('clear'),
    })
    const writeLine = (line: string) => events.push(line)
    const live = createLiveProgress({ writeLine, screen, clock: { now: () => 0 } })
    const timeline = timelineOf([vertexLine({ id: 1, name: '[1/1] RUN x', start: 0, end: 500 })])
    live.update(timeline)
    live.finish(timeline)
    expect(events).toEqual([
      'frame 0.50 s, 0 running, 1 done, 0 cached',
      'clear',
      '✓ RUN x 0.50 s',
      '0.50 s: 1 steps ran, 0 cached',
    ])
  })

  test.each([
    [{}, true, true],
    [{ NO_COLOR: '1' }, true, false],
    [{ NO_COLOR: '' }, true, true],
    [{ TERM: 'dumb' }, true, false],
    [{}, false, false],
  ])('colours with %j on a terminal (%j): %j', (env, terminal, expected) => {
    expect(wantsColor(env, terminal)).toBe(expected)
  })
})
