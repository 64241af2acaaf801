import { describe, expect, test } from '@jest/globals'
import { buildxArguments } from '../../tools/measure/buildx-way.ts'
import { countLayers } from '../../tools/measure/image-layers.ts'
import { describeMeasurement, formatTime } from '../../tools/measure/measure-build.ts'
import { readReport } from '../../tools/measure/read-report.ts'
import { tickerLine } from '../../tools/measure/ticker.ts'
import { measurement } from '../support/measurement.ts'

describe('layers of a built image', () => {
  test.each([
    { name: 'a first image', image: ['base', 'a', 'b'], before: [], expected: { built: 2, reused: 0 } },
    {
      name: 'one layer more',
      image: ['base', 'a', 'b', 'c'],
      before: ['base', 'a', 'b'],
      expected: { built: 1, reused: 2 },
    },
    { name: 'another base', image: ['base', 'a', 'b'], before: ['old', 'a', 'b'], expected: { built: 0, reused: 2 } },
    { name: 'all anew', image: ['base', 'x', 'y'], before: ['base', 'a', 'b'], expected: { built: 2, reused: 0 } },
  ])('are counted without the base: $name', ({ image, before, expected }) => {
    expect(countLayers(image, ['base'], before)).toEqual(expected)
  })
})

describe('a measurement in words', () => {
  test('says what was moved and made', () => {
    const measured = measurement({
      seconds: 4.42,
      pulledBytes: 57.1e6,
      pushedBytes: 12_000,
      layersBuilt: 1,
      layersReused: 5,
    })
    expect(describeMeasurement(measured)).toBe('4.4 s, 57.1 MB pulled, 12 kB pushed, 1 layer built, 5 reused')
  })

  test('says that nothing was built', () => {
    expect(describeMeasurement(measurement({ seconds: 0.2, skipped: true }))).toBe(
      '0.20 s, skipped: the image is there already',
    )
  })

  test.each([
    [0.062, '0.06 s'],
    [12.34, '12.3 s'],
    [133.8, '134 s'],
  ])('%d seconds are %s', (seconds, expected) => {
    expect(formatTime(seconds)).toBe(expected)
  })
})

describe('plain buildx', () => {
  const order = {
    place: { python: 'localhost:5000/base/python:3.11-slim' },
    copy: { folder: 'copy', addLight: async () => '', changeSource: async () => undefined },
    repository: 'localhost:5000/app',
  }
  const way = { name: 'plain', title: '', what: '', dockerfile: 'Dockerfile', mode: 'max' } as const

  test('is called with its defaults and the usual registry cache', () => {
    expect(buildxArguments({ ...way, compression: undefined }, order)).toEqual([
      'build',
      '--progress=rawjson',
      '--build-context',
      'python:3.11-slim=docker-image://localhost:5000/base/python:3.11-slim',
      '--cache-from',
      'type=registry,ref=localhost:5000/app:cache',
      '--cache-to',
      'type=registry,ref=localhost:5000/app:cache,mode=max',
      '--push',
      '--tag',
      'localhost:5000/app:latest',
      '--file',
      'copy/Dockerfile',
      'copy',
    ])
  })

  test('compresses image and cache alike where it is told to', () => {
    const args = buildxArguments({ ...way, compression: 'zstd' }, order)
    expect(args.filter((arg) => arg.includes('compression=zstd'))).toHaveLength(2)
    expect(args).not.toContain('--push')
  })
})

describe('what the CLI printed', () => {
  test('is read as a report', () => {
    const { report } = measurement({})
    expect(readReport(JSON.stringify({ image: 'app', report }))).toEqual(report)
  })

  test.each(['', '{}', '{"report":{"outcome":"built"}}'])('%j is no report', (stdout) => {
    expect(() => readReport(stdout)).toThrow(SyntaxError)
  })
})

test.each([
  ['RUN pip  install', 40, 'building 12 s: RUN pip install'],
  ['', 40, 'building 12 s'],
  ['\u001b[1mRUN\u001b[0m a long command', 20, 'building 12 s: RUN …'],
])('a sign of life for %j fits into %d columns', (words, width, expected) => {
  expect(tickerLine('building', 12.2, words, width)).toBe(expected)
})
