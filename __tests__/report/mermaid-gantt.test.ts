import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ganttText, mermaidGantt } from '../../src/report/mermaid-gantt.ts'
import { manySteps, recordedTimeline, timelineOf, vertexLine } from '../support/rawjson-streams.ts'

/** What Mermaid's gantt grammar takes for a task: a name without `:`, then tag, id, start and length. */
const TASK = /^ {4}([^:;#\n]+) :(active|done|crit), (r\d+p\d+), (2000-01-\d\d \d\d:\d\d:\d\d\.\d{3}), (\d+)ms$/

interface Task {
  readonly name: string
  readonly tag: string
  readonly id: string
  readonly start: number
  readonly length: number
}

function tasksOf(lines: readonly string[]): readonly Task[] {
  const body = lines.slice(lines.findIndex((line) => line.startsWith('    section')))
  return body
    .filter((line) => !line.startsWith('    section '))
    .map((line) => {
      const [, name = '', tag = '', id = '', start = '', length = ''] = TASK.exec(line) ?? []
      if (name === '') throw new Error(`not a task: ${line}`)
      return {
        name,
        tag,
        id,
        start: Date.parse(`${start.replace(' ', 'T')}Z`) - Date.UTC(2000, 0, 1),
        length: Number(length),
      }
    })
}

describe('gantt', () => {
  test.each([
    'v0.27.1-sequential',
    'v0.27.1-twosolve-cache',
    'v0.27.1-twosolve-push',
    'v0.33.1-buildx-provenance',
    'v0.33.1-cache-error-fatal',
    'v0.33.1-cache-error-ignored',
    'v0.33.1-parallel',
    'v0.33.1-two-names',
    'v0.33.1-two-outputs',
  ])('%s is a chart of tasks with ids of their own and lengths above nothing', (stream) => {
    const lines = mermaidGantt(recordedTimeline(stream))
    expect(lines.slice(0, 3)).toEqual([
      expect.stringMatching(/^%%\{init: \{.*\}\}%%$/),
      'gantt',
      '    dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    ])
    const tasks = tasksOf(lines)
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(tasks.length)
    for (const { length, start } of tasks) {
      expect(length).toBeGreaterThan(0)
      expect(start).toBeGreaterThanOrEqual(0)
    }
  })

  test('push and cache export are tasks beside each other, with their measured seconds', () => {
    const tasks = tasksOf(mermaidGantt(recordedTimeline('v0.33.1-parallel')))
    const push = tasks.find(({ name }) => name.startsWith('push '))
    const cache = tasks.find(({ name }) => name.startsWith('cache to registry'))
    expect(push).toMatchObject({ name: 'push 127.0.0.1∶5101/app33∶1 12.1 s', length: 12_087 })
    expect(cache).toMatchObject({ name: 'cache to registry 22.8 s', length: 22_775 })
    expect(Math.abs((push?.start ?? 0) - (cache?.start ?? 9e9))).toBeLessThan(5)
  })

  test('failed legs are marked', () => {
    const tasks = tasksOf(mermaidGantt(recordedTimeline('v0.33.1-cache-error-fatal')))
    expect(tasks.filter(({ tag }) => tag === 'crit').map(({ name }) => name)).toEqual([
      'push 1.3 s',
      'cache to registry 1.3 s',
    ])
  })

  test('sixty steps become thirty rows at most, and the failed one can be seen', () => {
    const timeline = timelineOf(manySteps(60, 50))
    const tasks = tasksOf(mermaidGantt(timeline))
    expect(tasks.length).toBeLessThanOrEqual(30)
    expect(tasks.some(({ name }) => name.startsWith('15 cached steps'))).toBe(true)
    expect(tasks.some(({ name }) => /^\d+ short steps/.test(name))).toBe(true)
    const failed = tasks.filter(({ tag }) => tag === 'crit')
    expect(failed).toHaveLength(1)
    expect(failed[0]?.length).toBeGreaterThan(timeline.elapsed / 400)
  })

  test('a chart of 10,000 steps stays below the size that Mermaid takes', () => {
    expect(mermaidGantt(timelineOf(manySteps(10_000))).join('\n').length).toBeLessThan(20_000)
  })

  test('no step has started: no chart', () => {
    expect(mermaidGantt(timelineOf([vertexLine({ id: 1, name: '[1/1] RUN x' })]))).toEqual([])
  })

  test.each([
    ['RUN a:b; c # d', 'RUN a∶b c d'],
    ['section one', '· section one'],
    ['2026-01-01 x', '· 2026-01-01 x'],
    ['Title x', '· Title x'],
    ['%%{init}%% x', 'init x'],
    ['\n', 'step'],
  ])('%j is written as %j', (text, expected) => {
    expect(ganttText(text)).toBe(expected)
  })

  test('whatever a step is called, its line is one task', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (name) => {
        const lines = mermaidGantt(timelineOf([vertexLine({ id: 1, name: `[1/1] ${name}`, start: 0, end: 5 })]))
        expect(tasksOf(lines)).toHaveLength(1)
      }),
    )
  })
})
