import { describe, expect, test } from '@jest/globals'
import { renderSummaries, renderSummary } from '../../src/report/summary.ts'
import { buildReport } from '../support/build-report.ts'
import { logLine, manySteps, recordedTimeline, timelineOf, vertexLine } from '../support/rawjson-streams.ts'

/** Cells of each row of the table under a heading, as GitHub splits them. */
function tableUnder(markdown: string, heading: string): readonly (readonly string[])[] {
  const lines = markdown.split('\n')
  const start = lines.indexOf(heading)
  const first = lines.findIndex((line, at) => at > start && line.startsWith('|'))
  const end = lines.findIndex((line, at) => at > first && !line.startsWith('|'))
  return lines.slice(first + 2, end).map((line) => line.slice(2, -2).split(' | '))
}

describe('the job summary', () => {
  const timeline = recordedTimeline('v0.33.1-parallel')

  test('begins with what happened, in numbers', () => {
    const [first, , reason] = renderSummary(buildReport({ timeline })).split('\n')
    expect(first).toBe(
      '## ✅ <code>registry.example/team/app</code> built in 29.6 s, 1 of 3 layers built, 12 kB pulled, 13.1 MB pushed, saved 2 min 9 s',
    )
    expect(reason).toBe('no image has this content yet')
  })

  test('has its parts in order', () => {
    const markdown = renderSummary(buildReport({ timeline }))
    const parts = [
      '### Warnings',
      '### Timeline',
      '```mermaid',
      '### Layers',
      '### Dockerfile steps',
      '### Caches',
      'Inputs</summary>',
    ]
    const places = parts.map((part) => markdown.indexOf(part))
    expect(places.every((place) => place > 0)).toBe(true)
    expect([...places].sort((a, b) => a - b)).toEqual(places)
    expect(markdown).toContain('Push and cache export ran side by side for 12.1 s.')
  })

  test('tables say what, how large, and why', () => {
    const markdown = renderSummary(buildReport())
    expect(tableUnder(markdown, '### Layers')[2]).toEqual([
      'light packages',
      'rich 13.9',
      '12.0 MB',
      '🔨 built',
      'rich was added',
    ])
    expect(tableUnder(markdown, '### Layers')[1]?.[1]).toBe(
      '<details><summary>torch 2.15, triton 3.1 and 3 more</summary>torch 2.15, triton 3.1, cublas 12.8, cudnn 9.1, nccl 2.2</details>',
    )
    expect(tableUnder(markdown, '### Dockerfile steps')[1]).toEqual([
      '9',
      '<code>RUN a &#124; b</code>',
      'left',
      'several commands in one step',
    ])
    expect(tableUnder(markdown, '### Caches')).toEqual([
      ['export registry.example/team/app:cache', '⚠️ failed', '403 Forbidden'],
    ])
  })

  test('pipes, line ends, backticks, HTML and mentions of names stay text', () => {
    const evil = 'a | b\n| c | `d` <script>alert(1)</script> </details> @someone [x](y) ![i](j) **k** #1'
    const markdown = renderSummary(
      buildReport({
        image: evil,
        reason: evil,
        tags: [evil],
        layers: [{ what: evil, packages: [evil], state: 'built', why: evil }],
        dockerfileSteps: [{ line: 1, text: evil, what: 'left', reason: evil }],
        caches: [{ what: evil, outcome: 'miss', detail: evil }],
        checks: [{ what: evil, outcome: 'unknown', detail: evil }],
        warnings: [{ message: evil, file: evil }],
        inputs: [[evil, evil]],
      }),
    )
    expect(markdown).not.toMatch(/<script|@someone|`d`|\[x\]|!\[i|\*\*k| #1/)
    expect(markdown.match(/<\/details>/g)).toHaveLength(2)
    for (const heading of ['### Layers', '### Dockerfile steps', '### Caches']) {
      const rows = tableUnder(markdown, heading)
      expect(rows).toHaveLength(1)
      expect(rows[0]?.length).toBe({ '### Layers': 5, '### Dockerfile steps': 4, '### Caches': 3 }[heading])
    }
  })

  test('a failed build shows the step, its place and the last words of its command in a fence that holds', () => {
    const markdown = renderSummary(
      buildReport({
        outcome: 'failed',
        reason: 'the build failed',
        hint: 'See the step.',
        timeline: timelineOf([
          vertexLine({ id: 1, name: '[app 2/3] RUN false', start: 0, end: 9, error: 'exit code: 1' }),
          logLine(1, 'before\n```\nafter\n'),
          'Dockerfile:7',
          '--------------------',
        ]),
      }),
    )
    expect(markdown).toMatch(/^## ❌ .* failed after 29\.6 s/)
    expect(markdown).toContain('the build failed See the step.')
    expect(markdown).toContain('**Failed step** (<code>Dockerfile:7</code>): <code>&#91;app 2/3&#93; RUN false</code>')
    expect(markdown).toContain('````text\nbefore\n```\nafter\n````')
  })

  test('a skipped build needs no timeline and shows none', () => {
    const markdown = renderSummary(buildReport({ outcome: 'skipped', seconds: 0.21, layers: [], pulledBytes: 0 }))
    expect(markdown).toMatch(/^## ⏭️ .* skipped in 0\.21 s, 0 B pulled/)
    expect(markdown).not.toContain('mermaid')
  })

  test('an input that is a secret is there by name only', () => {
    expect(renderSummary(buildReport())).toContain('| <code>secrets</code> |  |')
  })

  test('stays below 1 MiB and says what was left out', () => {
    const layers = Array.from({ length: 12_000 }, (_, at) => ({
      what: `layer ${at}`,
      packages: [],
      state: 'built' as const,
      why: 'x'.repeat(100),
    }))
    const markdown = renderSummary(buildReport({ layers, timeline: timelineOf(manySteps(2000)) }))
    expect(Buffer.byteLength(markdown)).toBeLessThan(1024 * 1024)
    expect(markdown).toContain('_1 part is left out: GitHub takes no more than 1 MiB._')
    expect(markdown).toContain('### Caches')
  })
})

describe('several images of one job', () => {
  test('add up to one table over folded parts', () => {
    const reports = [buildReport(), buildReport({ image: 'registry.example/team/worker', outcome: 'skipped' })]
    const markdown = renderSummaries(reports)
    const rows = tableUnder(markdown, '## Images')
    expect(rows.map(([image, outcome]) => [image, outcome])).toEqual([
      ['<code>registry.example/team/app</code>', '✅ built'],
      ['<code>registry.example/team/worker</code>', '⏭️ skipped'],
      ['2 images', ''],
    ])
    expect(markdown.match(/### Layers/g)).toHaveLength(2)
  })

  test('one image alone looks as always, none gives nothing', () => {
    expect(renderSummaries([buildReport()])).toBe(renderSummary(buildReport()))
    expect(renderSummaries([])).toBe('')
  })
})
