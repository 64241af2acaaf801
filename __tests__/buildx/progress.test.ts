import { describe, expect, test } from '@jest/globals'
import { createProgress } from '../../src/buildx/progress.ts'
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

interface Figures {
  readonly stream: string
  readonly seconds: number
  readonly steps: number
  readonly overlap: number
  /** Seconds from the first push's start to the last one's end, and the number of spans. */
  readonly pushes: readonly [start: number, end: number, spans: number] | undefined
  readonly cacheExport: readonly [start: number, end: number] | undefined
  readonly exports: number
  readonly pulled: number
}

const STREAMS: readonly Figures[] = [
  {
    stream: 'v0.27.1-sequential',
    seconds: 49.466,
    steps: 13,
    overlap: 0,
    pushes: [14.778, 27.827, 2],
    cacheExport: [27.827, 49.466],
    exports: 1,
    pulled: 74_511_678,
  },
  {
    stream: 'v0.27.1-twosolve-cache',
    seconds: 29.159,
    steps: 13,
    overlap: 0,
    pushes: undefined,
    cacheExport: [3.411, 29.159],
    exports: 0,
    pulled: 0,
  },
  {
    stream: 'v0.27.1-twosolve-push',
    seconds: 18.759,
    steps: 12,
    overlap: 0,
    pushes: [6.665, 18.758, 2],
    cacheExport: undefined,
    exports: 1,
    pulled: 0,
  },
  {
    stream: 'v0.33.1-buildx-provenance',
    seconds: 13.264,
    steps: 14,
    overlap: 2.626,
    pushes: [6.851, 9.478, 2],
    cacheExport: [6.851, 13.147],
    exports: 2,
    pulled: 0,
  },
  {
    stream: 'v0.33.1-cache-error-fatal',
    seconds: 4.113,
    steps: 13,
    overlap: 1.271,
    pushes: [2.841, 4.113, 1],
    cacheExport: [2.84, 4.112],
    exports: 2,
    pulled: 0,
  },
  {
    stream: 'v0.33.1-cache-error-ignored',
    seconds: 14.488,
    steps: 13,
    overlap: 1.3,
    pushes: [2.644, 14.488, 2],
    cacheExport: [2.644, 3.944],
    exports: 2,
    pulled: 0,
  },
  {
    stream: 'v0.33.1-parallel',
    seconds: 29.56,
    steps: 13,
    overlap: 12.087,
    pushes: [6.786, 18.872, 2],
    cacheExport: [6.785, 29.56],
    exports: 2,
    pulled: 0,
  },
  {
    stream: 'v0.33.1-two-names',
    seconds: 14.652,
    steps: 12,
    overlap: 0,
    pushes: [2.855, 14.652, 4],
    cacheExport: undefined,
    exports: 2,
    pulled: 0,
  },
  {
    stream: 'v0.33.1-two-outputs',
    seconds: 14.765,
    steps: 13,
    overlap: 0,
    pushes: [2.779, 14.765, 4],
    cacheExport: undefined,
    exports: 4,
    pulled: 0,
  },
]

function seconds(milliseconds: number | undefined): number {
  return Math.round(milliseconds ?? Number.NaN) / 1000
}

describe('recorded streams of real builders', () => {
  test.each(STREAMS)('$stream has its measured figures', (expected) => {
    const timeline = recordedTimeline(expected.stream)
    const { pushes, cacheExports } = timeline
    const [cache] = cacheExports
    expect({
      stream: expected.stream,
      seconds: seconds(timeline.elapsed),
      steps: timeline.steps.length,
      overlap: seconds(timeline.overlap),
      pushes:
        pushes.length === 0
          ? undefined
          : [seconds(pushes[0]?.start), seconds(Math.max(...pushes.map(({ end }) => end ?? 0))), pushes.length],
      cacheExport: cache === undefined ? undefined : [seconds(cache.start), seconds(cache.end)],
      exports: timeline.exports.length,
      pulled: timeline.pulledBytes,
    }).toEqual(expected)
    expect(cacheExports.length).toBeLessThanOrEqual(1)
    expect(timeline.executedRuns).toHaveLength(6)
    expect(timeline.malformed).toBe(0)
  })

  test('layers alone were pushed beside the cache export for 12.07 s', () => {
    const { pushes, cacheExports } = recordedTimeline('v0.33.1-parallel')
    const layers = pushes.find(({ name }) => name === 'pushing layers')
    const start = Math.max(layers?.start ?? 0, cacheExports[0]?.start ?? 0)
    expect(((layers?.end ?? 0) - start) / 1000).toBeCloseTo(12.07, 2)
  })

  test('creating the image and pushing it are two intervals of one step since 0.29, one before', () => {
    const intervals = (stream: string) =>
      recordedTimeline(stream)
        .steps.filter(({ kind }) => kind === 'export')
        .map((step) => step.intervals.length)
    expect(intervals('v0.27.1-sequential')).toEqual([1])
    expect(intervals('v0.33.1-parallel')).toEqual([2])
    expect(intervals('v0.33.1-two-outputs')).toEqual([2, 2])
  })

  test('two names of one output are four push spans with their own targets', () => {
    const { pushes } = recordedTimeline('v0.33.1-two-names')
    expect(pushes.map(({ name, target }) => [name.split('@')[0], target?.split('@')[0]])).toEqual([
      ['pushing layers', '127.0.0.1:5101/m1:1'],
      ['pushing manifest for 127.0.0.1:5101/m1:1', '127.0.0.1:5101/m1:1'],
      ['pushing layers', '127.0.0.1:5102/m1:1'],
      ['pushing manifest for 127.0.0.1:5102/m1:1', '127.0.0.1:5102/m1:1'],
    ])
    expect(new Set(pushes.map(({ step }) => step)).size).toBe(1)
  })

  test('two outputs push at the same time in steps of their own', () => {
    const { pushes } = recordedTimeline('v0.33.1-two-outputs')
    expect(new Set(pushes.map(({ step }) => step)).size).toBe(2)
    expect(pushes.filter(({ name }) => name === 'pushing layers').map(({ target }) => target?.split('@')[0])).toEqual([
      '127.0.0.1:5102/m2:1',
      '127.0.0.1:5101/m2:1',
    ])
  })

  test('a cache error that ended the build is the failed step, though the push failed with it', () => {
    const { failed, cacheExports, pushes, text } = recordedTimeline('v0.33.1-cache-error-fatal')
    expect(failed?.step.name).toBe('exporting cache to registry')
    expect(failed?.message).toMatch(/connection refused$/)
    expect(cacheExports[0]?.error).toBe(failed?.message)
    expect(pushes[0]?.error).toMatch(/context canceled$/)
    expect(pushes[0]?.target).toBeUndefined()
    expect(text).toHaveLength(1)
  })

  test('a cache error that was ignored stands at the export, and nothing has failed', () => {
    const { failed, cacheExports, pushes } = recordedTimeline('v0.33.1-cache-error-ignored')
    expect(cacheExports[0]?.error).toMatch(/connection refused$/)
    expect(failed).toBeUndefined()
    expect(pushes.map(({ error }) => error)).toEqual([undefined, undefined])
  })

  test('a base image that was only looked up is cached, one that was pulled is not', () => {
    const base = (stream: string) => recordedTimeline(stream).steps.find(({ kind }) => kind === 'from')
    expect(base('v0.33.1-buildx-provenance')).toMatchObject({ cached: true, pulledBytes: 0 })
    expect(base('v0.27.1-sequential')).toMatchObject({ cached: false, pulledBytes: 74_511_678 })
    expect(base('v0.27.1-sequential')?.intervals).toHaveLength(5)
  })

  test('steps carry their stage, their inputs and the last lines of their commands', () => {
    const { steps } = recordedTimeline('v0.33.1-parallel')
    const run = steps.find(({ name }) => name.startsWith('[builder 2/3]'))
    expect(run).toMatchObject({ kind: 'run', stage: 'builder', cached: false, logs: ['a33'] })
    expect(run?.text).toMatch(/^RUN echo a33/)
    expect(run?.inputs).toHaveLength(1)
  })

  test('lines planted between and cut off change nothing but the text and the count of malformed entries', () => {
    const clean = recordedTimeline('v0.33.1-parallel')
    const planted = [
      '',
      'WARNING: something plain',
      '{"vertexes":[{"digest":"sha256:cut',
      '{"vertexes":[{"digest":5},{"digest":"sha256:x","name":7},null,"text"]}',
      '{"statuses":"none"}',
      '{"statuses":[{"id":"x","vertex":"y","current":"many"}]}',
      '{"logs":[{"vertex":"x"}],"warnings":[3]}',
      '{"unknown":true}',
      '[1,2]',
      'null',
      '\u0000\u0001',
    ]
    const lines = recordedLines('v0.33.1-parallel').flatMap((line) => [line, ...planted])
    const dirty = timelineOf(lines)
    expect({ ...dirty, text: [], malformed: 0 }).toEqual({ ...clean, text: [], malformed: 0 })
    expect(dirty.malformed).toBe(recordedLines('v0.33.1-parallel').length * 8)
    expect(dirty.text).toContain('WARNING: something plain')
    expect(dirty.text).toHaveLength(60)
  })

  test('every beginning of a stream gives a timeline that only grows', () => {
    const lines = recordedLines('v0.33.1-two-names')
    const progress = createProgress()
    let before = progress.snapshot()
    for (const line of lines) {
      progress.push(line)
      const now = progress.snapshot()
      expect(now.elapsed).toBeGreaterThanOrEqual(before.elapsed)
      expect(now.steps.length).toBeGreaterThanOrEqual(before.steps.length)
      expect(now.pushes.length).toBeGreaterThanOrEqual(before.pushes.length)
      before = now
    }
    expect(before).toEqual(timelineOf(lines))
  })
})

describe('intervals', () => {
  test('a step that failed to load from cache and then ran was executed', () => {
    const { executedRuns, steps } = timelineOf([
      vertexLine({ id: 1, name: '[1/1] RUN x', start: 0, end: 5, cached: true, error: 'blob not found' }),
      vertexLine({ id: 1, name: '[1/1] RUN x', start: 6, end: 20 }),
    ])
    expect(executedRuns.map(({ text }) => text)).toEqual(['RUN x'])
    expect(steps[0]).toMatchObject({ cached: false, error: undefined })
    expect(steps[0]?.intervals).toEqual([
      { start: 0, end: 5, cached: true, error: 'blob not found' },
      { start: 6, end: 20, cached: false, error: undefined },
    ])
  })

  test('cached steps, merges and internal steps are not executed work', () => {
    const { executedRuns } = timelineOf([
      vertexLine({ id: 1, name: '[internal] load .dockerignore', start: 0, end: 1 }),
      vertexLine({ id: 2, name: '[a 1/3] FROM x', start: 0, end: 1 }),
      vertexLine({ id: 3, name: '[a 2/3] RUN x', start: 1, end: 1, cached: true }),
      vertexLine({ id: 4, name: '[a 3/3] COPY --link x /', start: 1, end: 2 }),
      vertexLine({ id: 5, name: '[a 3/3] LINK COPY --link x /', start: 2, end: 3 }),
      vertexLine({ id: 6, name: '[b 2/2] RUN never started' }),
    ])
    expect(executedRuns.map(({ digest: id }) => id)).toEqual([digest(4)])
  })

  test('what is still open has no end, and overlaps up to the latest time seen', () => {
    const timeline = timelineOf([
      vertexLine({ id: 1, name: 'exporting to image', start: 0 }),
      vertexLine({ id: 2, name: 'exporting cache to registry', start: 100 }),
      statusLine(1, 'pushing layers', [50]),
      statusLine(2, 'preparing build cache for export', [100, 400]),
    ])
    expect(timeline.pushes[0]?.end).toBeUndefined()
    expect(timeline.overlap).toBe(300)
  })

  test.each([
    ['exporting cache to registry'],
    ['exporting to GitHub Actions Cache'],
    ['exporting cache to Amazon S3'],
    ['exporting cache to Azure Blob Storage'],
    ['exporting cache to client directory'],
    ['exporting content cache'],
    ['[app] exporting cache to registry'],
  ])('%s is a cache export and no export', (name) => {
    const { cacheExports, exports } = timelineOf([vertexLine({ id: 1, name, start: 0, end: 1 })])
    expect([cacheExports.length, exports.length]).toEqual([1, 0])
  })

  test('a push that the client made for the docker driver counts as one', () => {
    const { pushes } = timelineOf([
      vertexLine({ id: 1, name: 'pushing registry.example/a:1 with docker', start: 0, end: 9 }),
    ])
    expect(pushes).toMatchObject([{ target: 'registry.example/a:1', start: 0, end: 9 }])
  })

  test('a push status without a step, as BuildKit 0.28 has it, is a push and makes no step', () => {
    const status =
      '{"statuses":[{"id":"pushing layers","current":0,"timestamp":"2026-01-01T00:00:01Z","started":"2026-01-01T00:00:01Z"}]}'
    const { pushes, steps } = timelineOf([vertexLine({ id: 1, name: 'exporting to image', start: 0 }), status])
    expect(pushes).toMatchObject([{ start: 1000, step: '' }])
    expect(steps).toHaveLength(1)
  })
})

describe('bytes pulled', () => {
  test('a blob that several steps wait for is counted once, for the one that asked first', () => {
    const timeline = timelineOf([
      vertexLine({ id: 1, name: '[a 1/2] RUN x', start: 0 }),
      vertexLine({ id: 2, name: '[b 1/2] RUN y', start: 0 }),
      statusLine(2, digest(70), [10], [400, 1000]),
      statusLine(1, digest(70), [5], [500, 1000]),
      statusLine(1, digest(70), [5, 9], [1000, 1000]),
      statusLine(1, `extracting ${digest(70)}`, [9, 12], [3, 3]),
      statusLine(1, digest(71), [6], [250, 9000]),
    ])
    expect(timeline.pulls.map(({ step, bytes }) => [step, bytes])).toEqual([
      [digest(1), 1000],
      [digest(1), 250],
    ])
    expect(timeline.pulledBytes).toBe(1250)
  })
})

describe('failures', () => {
  const ERROR = 'process "/bin/sh -c false" did not complete successfully: exit code: 1'
  const steps = [
    vertexLine({ id: 1, name: '[app 2/3] RUN false', start: 0, end: 20, error: ERROR }),
    vertexLine({ id: 2, name: '[deps 2/3] RUN sleep 9', start: 0, end: 19, error: 'context canceled' }),
    vertexLine({ id: 3, name: 'importing cache manifest from x', start: 0, end: 1, error: 'not found' }),
  ]

  test('the failed step is not the one that was cancelled with it, nor a cache that was not found', () => {
    expect(timelineOf(steps).failed).toMatchObject({ message: ERROR, place: undefined })
  })

  test("its line in the Dockerfile is read from buildx's last words, its output from the log", () => {
    const { failed } = timelineOf([
      ...steps,
      logLine(1, 'first\nlast words\n'),
      'docker/app.Dockerfile:7',
      '--------------------',
      '   7 | >>> RUN false',
      '--------------------',
      `ERROR: failed to build: failed to solve: ${ERROR}`,
    ])
    expect(failed).toMatchObject({
      place: { file: 'docker/app.Dockerfile', line: 7 },
      step: { logs: ['first', 'last words'] },
    })
  })

  test('a step that failed without ever starting still tells its error', () => {
    const line = JSON.stringify({ vertexes: [{ digest: digest(1), name: '[1/1] RUN x', error: 'no such device' }] })
    expect(timelineOf([line]).failed?.message).toBe('no such device')
  })
})

describe('logs and warnings', () => {
  test('pieces that end within a line or a character are joined, colours and overwritten bars go', () => {
    const bytes = Buffer.from('caf\u00e9 \u001b[31mred\u001b[0m\n 10%\r 50%\r100%\r\nopen')
    const pieces = [...bytes].map((byte) => logLine(1, Uint8Array.of(byte)))
    const { steps } = timelineOf([vertexLine({ id: 1, name: '[1/1] RUN x', start: 0 }), ...pieces])
    expect(steps[0]?.logs).toEqual(['caf\u00e9 red', '100%', 'open'])
  })

  test('only the last lines are kept', () => {
    const text = Array.from({ length: 5000 }, (_, line) => `line ${line}\n`).join('')
    const { steps } = timelineOf([vertexLine({ id: 1, name: '[1/1] RUN x', start: 0 }), logLine(1, text)])
    expect(steps[0]?.logs).toHaveLength(30)
    expect(steps[0]?.logs.at(-1)).toBe('line 4999')
  })

  test('a build check has its text, its page and its line', () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    const warning = {
      vertex: digest(1),
      level: 1,
      short: base64('LegacyKeyValueFormat: use ENV key=value'),
      detail: [base64('Legacy format')],
      url: 'https://docs.example/rule',
      sourceInfo: { filename: 'Dockerfile' },
      range: [{ start: { line: 3 }, end: { line: 3 } }],
    }
    expect(timelineOf([JSON.stringify({ warnings: [warning] })]).warnings).toEqual([
      {
        message: 'LegacyKeyValueFormat: use ENV key=value',
        detail: ['Legacy format'],
        url: 'https://docs.example/rule',
        file: 'Dockerfile',
        line: 3,
      },
    ])
  })
})

describe('secrets', () => {
  // Made here, so that no word that looks like a secret stands in a file.
  const word = ['hush', 'a', 'bye', 'baby'].join('-')
  const redact = (text: string) => text.replaceAll(word, '***')

  function shownOf(lines: readonly string[]): string {
    const progress = createProgress({ redact })
    for (const line of lines) progress.push(line)
    return JSON.stringify(progress.snapshot())
  }

  test('are taken out of names, errors, statuses, logs, warnings and plain text', () => {
    const warning = { vertex: digest(1), short: Buffer.from(`no ${word}`).toString('base64') }
    const shown = shownOf([
      vertexLine({ id: 1, name: `[1/1] RUN echo ${word}`, start: 0, end: 5, error: `process "${word}" failed` }),
      statusLine(1, `fetching ${word}`, [1]),
      logLine(1, `it is ${word}\nopen ${word}`),
      JSON.stringify({ warnings: [warning] }),
      `ERROR: ${word}`,
    ])
    expect(shown).not.toContain(word)
    expect(shown.match(/\*\*\*/g)?.length).toBeGreaterThanOrEqual(7)
  })

  test('are found when they come in pieces, coloured, or in a line that is cut', () => {
    const coloured = `${word.slice(0, 6)}\u001b[1m${word.slice(6)}`
    for (const text of [
      `a ${word} b\n`,
      `${coloured}\n`,
      `${'x'.repeat(7995)}${word}\n`,
      `${word}${'x'.repeat(30_000)}`,
    ]) {
      const pieces = Array.from({ length: Math.ceil(text.length / 5) }, (_, piece) =>
        text.slice(piece * 5, piece * 5 + 5),
      )
      for (const parts of [[text], pieces]) {
        const shown = shownOf([
          vertexLine({ id: 1, name: '[1/1] RUN x', start: 0 }),
          ...parts.map((part) => logLine(1, part)),
        ])
        expect([word, word.slice(0, 8), word.slice(-8)].filter((part) => shown.includes(part))).toEqual([])
      }
    }
  })
})

describe('big streams', () => {
  test('an unchanged step is the same object in the next snapshot, so that a display costs little', () => {
    const progress = createProgress()
    for (const line of manySteps(200)) progress.push(line)
    const before = progress.snapshot()
    progress.push(logLine(7, 'more\n'))
    const after = progress.snapshot()
    const same = after.steps.filter((step) => before.steps.includes(step))
    expect(same).toHaveLength(199)
  })

  test('10,000 steps are all there', () => {
    const timeline = timelineOf(manySteps(10_000, 9_999))
    expect(timeline.steps).toHaveLength(10_000)
    expect(timeline.executedRuns).toHaveLength(7_500)
    expect(timeline.failed?.step.digest).toBe(digest(9_999))
  })
})
