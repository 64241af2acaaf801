import { createReadStream, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { readSavedBuild } from '../../src/flow/saved-report.ts'
import { renderHtml } from '../../src/report/report-html.ts'
import { renderSummary } from '../../src/report/summary.ts'
import { manySteps, recordedLines } from '../support/rawjson-streams.ts'

function fixture(name: string): URL {
  return new URL(`../fixtures/rawjson/rawjson-${name}.jsonl`, import.meta.url)
}

async function* pieces(text: string | Uint8Array, size: number): AsyncGenerator<string | Uint8Array> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size)
}

describe('the report of a build that was saved', () => {
  test('names what was pushed, how much came from a cache, and who pulled', async () => {
    const report = await readSavedBuild(createReadStream(fixture('v0.33.1-lazy-plain-copy')), 'saved')
    expect(report).toMatchObject({
      image: 'registry.example/t/app:7',
      outcome: 'built',
      reason: '2 of 3 steps came from a cache',
      pulls: [{ cause: 'copy', by: '[4/4] COPY app.txt /app.txt' }],
      caches: [{ what: 'importing cache manifest from registry.example/t/cache:c', outcome: 'ok' }],
    })
  })

  test('is the same however the file is cut into pieces', async () => {
    const bytes = readFileSync(fixture('v0.33.1-lazy-run-on-top'))
    const whole = await readSavedBuild(pieces(bytes, bytes.length), 'x')
    for (const size of [1, 7, 4096]) expect(await readSavedBuild(pieces(bytes, size), 'x')).toEqual(whole)
    expect(await readSavedBuild(pieces(bytes.toString(), 1000), 'x')).toEqual(whole)
  })

  test('tells a failed build with its cause, also one that a cache made fail', async () => {
    const report = await readSavedBuild(createReadStream(fixture('v0.33.1-cache-error-fatal')), 'x')
    expect(report?.outcome).toBe('failed')
    expect(report?.caches.filter(({ outcome }) => outcome === 'failed')).toHaveLength(1)
    expect(renderSummary(report ?? raise())).toContain('**Failed step**')
  })

  test('tells that the stream ends in the middle', async () => {
    const lines = recordedLines('v0.33.1-lazy-run-on-top')
    const report = await readSavedBuild(pieces(lines.slice(0, 20).join('\n'), 500), 'x')
    expect(report).toMatchObject({ outcome: 'cancelled', reason: 'the stream ends in the middle of the build' })
  })

  test('of anything else there is none', async () => {
    expect(await readSavedBuild(pieces('#1 [internal] load build definition\n', 9), 'x')).toBeUndefined()
    expect(await readSavedBuild(pieces('', 1), 'x')).toBeUndefined()
  })

  test('is readable with 60 steps, in Markdown and as a page', async () => {
    const report = await readSavedBuild(pieces(manySteps(60).join('\n'), 999), 'many')
    const [, chart = ''] = /```mermaid\n([\s\S]*?)```/.exec(renderSummary(report ?? raise())) ?? []
    expect(chart.split('\n').length).toBeLessThan(50)
    const html = renderHtml([{ title: 'many', report: report ?? raise() }])
    expect(html.match(/<svg/g)).toHaveLength(1)
  })
})

function raise(): never {
  throw new Error('there is no report')
}
