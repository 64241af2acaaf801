import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { readCommandFile } from '../../bench/action-process.ts'
import { parseBenchOptions } from '../../bench/bench-options.ts'
import type { BenchResult, ShapeResult, TimedResult, WayName } from '../../bench/bench-result.ts'
import { formatSpread, insertResults, resultMarkdown } from '../../bench/markdown.ts'
import { resultsSvg } from '../../bench/picture.ts'
import { replaceResult } from '../../bench/result-files.ts'
import { shapeResult } from '../../bench/run-shapes.ts'
import { spread } from '../../bench/statistics.ts'
import { checkTargets } from '../../bench/targets.ts'
import type { Shape } from '../../tools/measure/shape.ts'
import { measurement } from '../support/measurement.ts'

describe('several measurements', () => {
  test.each([
    [[3], { min: 3, median: 3, max: 3, runs: 1 }],
    [[3, 1, 2], { min: 1, median: 2, max: 3, runs: 3 }],
    [[4, 1, 2, 3], { min: 1, median: 2.5, max: 4, runs: 4 }],
  ])('%j have a least, a middle and a most', (values, expected) => {
    expect(spread(values)).toEqual(expected)
  })

  test('none are refused', () => {
    expect(() => spread([])).toThrow(RangeError)
  })

  test('become one row: medians, but the most RUN steps, so that one bad generation shows', () => {
    const measured = [0, 0, 4].map((runs, at) => measurement({ seconds: at + 1, pulledBytes: 10 * (at + 1), runs }))
    expect(shapeResult('ours', 'source', measured)).toMatchObject({
      seconds: { median: 2 },
      pulledBytes: 20,
      runSteps: 4,
    })
  })
})

describe('targets', () => {
  test('are reached or not, by the medians', () => {
    const targets = checkTargets(torch())
    const verdict = (what: string, wanted: string): boolean | undefined =>
      targets.find((target) => target.what.startsWith(what) && target.wanted.includes(wanted))?.reached
    expect(verdict('one light package', '36x')).toBe(false)
    expect(verdict('one light package', '5x')).toBe(true)
    expect(verdict('base image patched', 'under 1 s')).toBe(true)
    expect(verdict('source changed', 'under 1 s')).toBe(false)
    expect(verdict('image exists', 'under 0.5 s')).toBe(true)
    expect(verdict('image exists', '10x')).toBe(false)
    expect(verdict('loading the bundle', '150 ms')).toBe(false)
  })

  test('miss when a dependency step ran or a layer was pulled', () => {
    const broken = torch({ runSteps: 1, pulledOwnBytes: 2e9 })
    const missed = checkTargets(broken).filter(({ reached }) => reached === false)
    expect(missed.map(({ what }) => what)).toEqual(
      expect.arrayContaining([
        'base image patched: dependency steps run',
        'source changed: bytes of the image that were pulled',
      ]),
    )
  })

  test('about big images stay open for small ones', () => {
    const targets = checkTargets({ ...torch(), project: 'small' })
    const open = targets.filter(({ found }) => found === 'told by --project torch only')
    expect(open.map(({ wanted }) => wanted)).toEqual([
      'at least 36x faster than one RUN with default options',
      'at least 5x faster than a chain',
    ])
  })
})

describe('tables', () => {
  test('have a row for each way and change, and the ratio of the others to ours', () => {
    const lines = resultMarkdown(torch()).split('\n')
    expect(lines).toContain('| light package added | one RUN, gzip | 134 s | 2,800 (0.0) | 0.1 | 3/1 | 30.4x |')
    expect(lines).toContain(
      '| light package added | **image-cache** | 4.4 s (4.3 to 4.9) | 57.0 (0.0) | 0.1 | 1/6 |  |',
    )
    expect(lines.filter((line) => line.startsWith('| source changed | '))).toHaveLength(3)
    expect(lines).toContain('| source changed | under 1 s | 1.2 s | **not reached** |')
  })

  test.each([
    [{ min: 1, median: 1, max: 1, runs: 1 }, '1.0 s'],
    [{ min: 0.3, median: 0.34, max: 120, runs: 3 }, '0.34 s (0.30 to 120)'],
  ])('%j is shown as %s', (value, expected) => {
    expect(formatSpread(value)).toBe(expected)
  })

  test('are put between the markers of a document, and nowhere else', () => {
    const document = '# A\n<!-- results: begin -->\nold\n<!-- results: end -->\nrest\n'
    const filled = insertResults(document, 'new')
    expect(filled).toBe('# A\n<!-- results: begin -->\n\nnew\n\n<!-- results: end -->\nrest\n')
    expect(insertResults(filled, 'new')).toBe(filled)
    expect(insertResults('no markers', 'new')).toBe('no markers')
  })

  test('replace the last result of the same project only', () => {
    const small = { ...torch(), project: 'small' }
    const newer = { ...torch(), date: '2026-02-02T00:00:00.000Z' }
    expect(replaceResult([small, torch()], newer)).toEqual([newer, small])
  })
})

describe('the picture', () => {
  const svg = resultsSvg([torch()])

  test('has a bar with its time for each row', () => {
    expect(svg.match(/<title>torch, .*?<\/title>/g)).toHaveLength(torch().shapes.length)
    expect(svg).toContain('torch, light package added, image-cache: 4.4 s')
  })

  test('gives a longer time a longer bar', () => {
    const width = (words: string): number => Number(new RegExp(`width="([\\d.]+)"[^>]*><title>${words}`).exec(svg)?.[1])
    expect(width('torch, light package added, one RUN, gzip')).toBeGreaterThan(
      width('torch, light package added, image-cache'),
    )
  })
})

test('the pictures in docs/benchmarks are of the results that lie there', () => {
  const folder = join(import.meta.dirname, '../../docs/benchmarks')
  const results: readonly BenchResult[] = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'))
  const bars = (svg: string): string => svg.replace(/<style>[\s\S]*?<\/style>/, '')
  const read = (name: string): string => bars(readFileSync(join(folder, `${name}.svg`), 'utf8'))
  expect(read('results')).toBe(bars(resultsSvg(results)))
  for (const result of results) expect(read(result.project)).toBe(bars(resultsSvg([result])))
})

describe('arguments of the bench', () => {
  test('have defaults', () => {
    expect(parseBenchOptions([])).toEqual({
      project: 'small',
      runs: 3,
      ways: ['default', 'zstd', 'chain', 'ours'],
      latency: 50,
      json: undefined,
      out: undefined,
    })
  })

  test.each([
    [['--project', 'huge'], '"huge" is not one of small, sklearn, torch'],
    [['--ways', 'ours,theirs'], '"theirs" is not one of default, zstd, chain, ours'],
    [['--runs', '0'], '"0" is not a number from 1 to 5'],
    [['--latency', 'slow'], '"slow" is not a number of milliseconds'],
    [['--quick'], '--quick'],
  ])('%j are refused', (args, sentence) => {
    expect(parseBenchOptions(args)).toEqual({ text: expect.stringContaining(sentence), exitCode: 2 })
  })
})

test('what an action wrote for the runner is read', () => {
  const text = 'digest<<end1\nsha256:1\nend1\nplan<<end2\n{\n}\nend2\nskipped=true\n'
  expect(Object.fromEntries(readCommandFile(text))).toEqual({ digest: 'sha256:1', plan: '{\n}', skipped: 'true' })
})

function torch(oursOverride: Partial<ShapeResult> = {}): BenchResult {
  const row = (
    way: WayName,
    shape: Shape,
    seconds: readonly number[],
    more: Partial<ShapeResult> = {},
  ): ShapeResult => ({
    way,
    shape,
    seconds: spread(seconds),
    pulledBytes: way === 'ours' ? 57e6 : 2.8e9,
    pulledOwnBytes: 0,
    pushedBytes: 1e5,
    layersBuilt: way === 'ours' ? 1 : 3,
    layersReused: way === 'ours' ? 6 : 1,
    runSteps: 0,
    stages: [],
    ...more,
    ...(way === 'ours' ? oursOverride : {}),
  })
  const timed = (name: TimedResult['name'], seconds: number): TimedResult => ({
    name,
    latencyMs: 0,
    seconds: spread([seconds]),
  })
  return {
    project: 'torch',
    date: '2026-01-01T00:00:00.000Z',
    machine: { cores: 2, cpu: 'a processor', memory: 8e9, system: 'Linux', versions: { BuildKit: '0.33.1' } },
    shapes: [
      row('default', 'light', [133.8]),
      row('chain', 'light', [24]),
      row('ours', 'light', [4.9, 4.3, 4.4]),
      row('default', 'source', [30]),
      row('ours', 'source', [1.2]),
      row('ours', 'patch', [0.4]),
    ],
    timed: [timed('action-exists', 0.3), timed('buildx-cached', 0.9), timed('bundle', 0.2)],
  }
}
