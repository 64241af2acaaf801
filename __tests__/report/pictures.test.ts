import { describe, expect, test } from '@jest/globals'
import { layerStackSvg } from '../../src/report/layer-stack-svg.ts'
import { planStackSvg } from '../../src/report/plan-stack-svg.ts'
import { renderHtml } from '../../src/report/report-html.ts'
import { timelineSvg } from '../../src/report/timeline-svg.ts'
import { buildReport } from '../support/build-report.ts'
import { manySteps, recordedTimeline, timelineOf, vertexLine } from '../support/rawjson-streams.ts'

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly state: string
}

function boxes(svg: string, states: RegExp): readonly Box[] {
  const pattern = /<rect x="([\d.-]+)" y="([\d.-]+)" width="([\d.-]+)" height="([\d.-]+)" rx="3" class="ic-([\w-]+)"/g
  return (
    [...svg.matchAll(pattern)]
      .map(([, x, y, width, height, state = '']) => ({
        x: Number(x),
        y: Number(y),
        width: Number(width),
        height: Number(height),
        state,
      }))
      // The legend's squares are 11 by 11.
      .filter(({ state, width, height }) => states.test(state) && !(width === 11 && height === 11))
  )
}

/** Whether every element that opens is closed in order, and every `&` begins an entity. */
function isWellFormed(xml: string): boolean {
  const open: string[] = []
  for (const [, close, name = '', self] of xml.matchAll(/<(\/?)([a-z][a-z0-9]*)[^<>]*?(\/?)>/gi)) {
    if (self === '/' || /^(meta|doctype)$/i.test(name)) continue
    if (close === '/') {
      if (open.pop() !== name) return false
    } else open.push(name)
  }
  return open.length === 0 && !/&(?!(amp|lt|gt|quot|#39);)/.test(xml)
}

describe('timeline picture', () => {
  test('bars lie within the picture and as far apart as the times that they stand for', () => {
    const svg = timelineSvg(recordedTimeline('v0.33.1-parallel'))
    const [push] = boxes(svg, /^push$/)
    const [cache] = boxes(svg, /^cache-export$/)
    const last = boxes(svg, /^push$/).at(-1)
    const pushed = (last?.x ?? 0) + (last?.width ?? 0) - (push?.x ?? 0)
    expect(pushed / (cache?.width ?? 1)).toBeCloseTo(12.087 / 22.775, 1)
    for (const { x, y, width, height } of boxes(svg, /./)) {
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x + width).toBeLessThanOrEqual(980)
      expect(y + height).toBeLessThanOrEqual(Number(/height="(\d+)" role/.exec(svg)?.[1]))
    }
  })

  test('marks where push and cache export ran side by side, only if they did', () => {
    const both = timelineSvg(recordedTimeline('v0.33.1-parallel'))
    expect(both).toContain('push and cache export side by side: 12.1 s')
    expect(boxes(both, /^both$/)).toHaveLength(1)
    expect(timelineSvg(recordedTimeline('v0.27.1-sequential'))).not.toContain('side by side')
  })

  test('rows never overlap', () => {
    const bars = boxes(timelineSvg(timelineOf(manySteps(60, 50))), /^(ran|cached|failed)$/)
    const tops = [...new Set(bars.map(({ y }) => y))].sort((a, b) => a - b)
    for (const [at, top] of tops.entries()) expect(top - (tops[at - 1] ?? -100)).toBeGreaterThanOrEqual(15)
  })

  test('is well formed, has no outside resource, no script and no id, whatever steps are called', () => {
    const name = `[1/1] RUN echo "<a href='x'>" && \u0007 ]]> \ud800 </text><script>`
    const svg = timelineSvg(timelineOf([vertexLine({ id: 1, name, start: 0, end: 5 })]), { title: '<b> & "c"' })
    expect(isWellFormed(svg)).toBe(true)
    expect(svg).not.toMatch(/<(script|a|image|use)\b|url\(| id="/)
    expect(svg.includes('\u0007')).toBe(false)
    expect(svg.match(/https?:/g)).toHaveLength(1)
    expect(svg.isWellFormed()).toBe(true)
  })

  test('an empty timeline is an empty picture', () => {
    expect(isWellFormed(timelineSvg(timelineOf([])))).toBe(true)
  })
})

describe('layer picture', () => {
  test('stacks the layers with the base at the bottom, larger ones higher', () => {
    const stack = boxes(layerStackSvg(buildReport().layers), /^(built|reused|unknown)$/)
    expect(stack.map(({ state }) => state)).toEqual(['built', 'reused', 'reused'])
    const [light, torch, base] = stack
    expect(torch?.height).toBeGreaterThan(base?.height ?? 99)
    expect(base?.height).toBeGreaterThan(light?.height ?? 99)
    for (const [at, box] of stack.entries()) {
      const above = stack[at - 1]
      if (above !== undefined) expect(box.y).toBeGreaterThanOrEqual(above.y + above.height)
    }
  })

  test('tells sizes, states and reasons', () => {
    const svg = layerStackSvg(buildReport().layers)
    for (const text of ['1.6 GB', 'torch 2.15, triton 3.1', 'built: rich was added', '1 built', '2 reused']) {
      expect(svg).toContain(text)
    }
    expect(svg).toContain('1.7 GB, 12.0 MB of it built')
    expect(isWellFormed(svg)).toBe(true)
  })
})

describe('page of several runs', () => {
  const runs = [
    { title: 'cold', report: buildReport({ timeline: recordedTimeline('v0.33.1-parallel') }) },
    { title: 'nothing <changed>', report: buildReport({ outcome: 'skipped', layers: [], reason: 'found & tagged' }) },
  ]
  const table = {
    caption: 'Beside plain buildx',
    header: ['Run', 'Seconds'],
    rows: [
      ['cold', '33.5'],
      ['<x>', '0.2'],
    ],
  }
  const html = renderHtml(runs, table, 'Demo')

  test('has the table, a section for each run, and pictures where there is something to see', () => {
    expect(html.match(/<section /g)).toHaveLength(2)
    expect(html.match(/<svg /g)).toHaveLength(2)
    expect(html).toContain('<td class="right">33.5</td>')
    expect(html).toContain('<h2>nothing &lt;changed&gt;</h2>')
    expect(html).toContain('found &amp; tagged')
  })

  test('is complete in itself', () => {
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|<script|<link|src=|url\(|@import/)
    expect(isWellFormed(html)).toBe(true)
  })

  test('needs no table', () => {
    expect(renderHtml(runs).match(/<table>/g)).toHaveLength(2)
  })
})

describe('picture of a plan', () => {
  const layer = (title: string, bytes: number, changeRate: number) => ({
    ...{ title, bytes, changeRate },
    reason: 'because <it> is & was',
    packages: [`${title} 1.0`],
  })
  const svg = planStackSvg([layer('torch', 850e6, 0.05), layer('web & co', 2e5, 0.8), layer('tiny', 10, 0)], 'Plan')

  test('is a stack with the bottom layer lowest and the larger layers higher', () => {
    const stack = boxes(svg, /^built$/)
    expect(stack).toHaveLength(3)
    expect(stack.map(({ y }) => y)).toEqual([...stack.map(({ y }) => y)].sort((a, b) => a - b))
    const [tiny, web, torch] = stack
    expect(tiny?.height).toBe(web?.height === undefined ? undefined : Math.min(tiny?.height ?? 0, web.height))
    expect(torch?.height).toBeGreaterThan(web?.height ?? 0)
    expect(svg.indexOf('tiny')).toBeLessThan(svg.indexOf('torch</text>'))
  })

  test('has bars as long as the chance of a change, and what that costs', () => {
    const bars = boxes(svg, /^cache-export$/).map(({ width }) => width)
    expect(bars).toEqual([1, 96, 6])
    expect(svg).toContain('>80 %, 160 kB<')
    expect(svg).toContain('850.2 MB; 42.7 MB expected for a lock change')
  })

  test('is well-formed whatever the names hold', () => {
    expect(isWellFormed(svg)).toBe(true)
    expect(svg).toContain('web &amp; co')
  })
})
