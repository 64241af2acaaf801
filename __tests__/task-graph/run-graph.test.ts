import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type NodeEnd, type RunGraphOptions, runGraph } from '../../src/task-graph/run-graph.ts'
import type { GraphNode } from '../../src/task-graph/task-graph.ts'

/** A run that is written down: starts, ends, and how many ran at once. */
function recorded(failing: ReadonlySet<string>, delays: ReadonlyMap<string, number> = new Map()) {
  const events: string[] = []
  let now = 0
  let most = 0
  const run = async ({ name }: GraphNode, needs: ReadonlyMap<string, string>): Promise<string> => {
    events.push(`start ${name} after ${[...needs.keys()].join(',')}`)
    now += 1
    most = Math.max(most, now)
    // Turns of the event loop stand for time: they bring the tasks' ends into every order.
    for (let turn = 0; turn < (delays.get(name) ?? 1); turn += 1) await new Promise((done) => setImmediate(done))
    now -= 1
    events.push(`end ${name}`)
    return failing.has(name) ? 'bad' : 'good'
  }
  const options = (limit: number, keepGoing: boolean): RunGraphOptions<GraphNode, string> => ({
    limit,
    keepGoing,
    run,
    isGood: (result) => result === 'good',
  })
  return { events, options, most: () => most }
}

function kinds(ends: ReadonlyMap<string, NodeEnd<string>>): Record<string, string> {
  return Object.fromEntries(
    [...ends].map(([name, end]) => [name, end.kind === 'done' ? end.result : `skipped: ${end.because}`]),
  )
}

const diamond: readonly GraphNode[] = [
  { name: 'a', needs: [] },
  { name: 'b', needs: ['a'] },
  { name: 'c', needs: ['a'] },
  { name: 'd', needs: ['b', 'c'] },
]

describe('a graph of tasks', () => {
  test('hands each task the results of those that it needs', async () => {
    const { events, options } = recorded(new Set())
    await runGraph(diamond, options(1, false))
    expect(events.filter((event) => event.startsWith('start'))).toEqual([
      'start a after ',
      'start b after a',
      'start c after a',
      'start d after b,c',
    ])
  })

  test('stops at the first failure: nothing more begins, what runs goes to its end', async () => {
    const { events, options } = recorded(new Set(['b']), new Map([['c', 5]]))
    const nodes = [...diamond, { name: 'e', needs: ['c'] }]
    expect(kinds(await runGraph(nodes, options(2, false)))).toEqual({
      a: 'good',
      b: 'bad',
      c: 'good',
      d: 'skipped: b',
      e: 'skipped: b',
    })
    expect(events.at(-1)).toBe('end c')
  })

  test('goes on with what does not need the failed task, when asked', async () => {
    const { options } = recorded(new Set(['b']))
    const nodes = [...diamond, { name: 'e', needs: ['c'] }, { name: 'f', needs: ['d'] }]
    expect(kinds(await runGraph(nodes, options(4, true)))).toEqual({
      a: 'good',
      b: 'bad',
      c: 'good',
      d: 'skipped: b',
      e: 'good',
      f: 'skipped: d',
    })
  })

  test('waits for what runs before it throws what a task threw', async () => {
    const { events, options } = recorded(new Set(), new Map([['slow', 10]]))
    const inner = options(2, false)
    const run = async (task: GraphNode, needs: ReadonlyMap<string, string>): Promise<string> => {
      if (task.name === 'broken') throw new Error('as the test wants')
      return inner.run(task, needs)
    }
    const nodes = ['slow', 'broken', 'later'].map((name) => ({ name, needs: [] }))
    await expect(runGraph(nodes, { ...inner, run })).rejects.toThrow('as the test wants')
    expect(events).toEqual(['start slow after ', 'end slow'])
  })

  test('of nothing is done at once', async () => {
    expect((await runGraph([], recorded(new Set()).options(1, false))).size).toBe(0)
  })
})

/** Ordered graphs: each task needs only earlier ones. With what fails, how long each takes, and how many may run. */
const runs = fc
  .array(fc.tuple(fc.array(fc.nat(19), { maxLength: 3 }), fc.boolean(), fc.nat(4)), { minLength: 1, maxLength: 20 })
  .chain((tasks) => fc.tuple(fc.constant(tasks), fc.integer({ min: 1, max: 5 }), fc.boolean()))

test('every run keeps the limit, runs each task at most once and after its needs, and ends with all of them', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ([tasks, limit, keepGoing]) => {
      const nodes = tasks.map(([needs], at) => ({
        name: `t${at}`,
        needs: at === 0 ? [] : [...new Set(needs.map((to) => `t${to % at}`))],
      }))
      // One task in four fails.
      const failing = new Set(tasks.flatMap(([, bad, turns], at) => (bad && turns === 0 ? [`t${at}`] : [])))
      const delays = new Map(tasks.map(([, , turns], at) => [`t${at}`, turns]))
      const { events, options, most } = recorded(failing, delays)
      const ends = await runGraph(nodes, options(limit, keepGoing))

      expect([...ends.keys()]).toEqual(nodes.map(({ name }) => name))
      expect(most()).toBeLessThanOrEqual(limit)
      for (const { name, needs } of nodes) {
        const starts = events.flatMap((event, at) => (event.startsWith(`start ${name} `) ? [at] : []))
        expect(starts.length).toBe(ends.get(name)?.kind === 'done' ? 1 : 0)
        for (const need of starts.length === 0 ? [] : needs) {
          expect(events.indexOf(`end ${need}`)).toBeLessThan(starts[0] ?? -1)
          expect(ends.get(need)).toEqual({ kind: 'done', result: 'good' })
        }
      }
      if (keepGoing) {
        const bad = (name: string): boolean => {
          const needs = nodes.find((one) => one.name === name)?.needs ?? []
          return needs.some((need) => failing.has(need) || bad(need))
        }
        for (const { name } of nodes) expect(ends.get(name)?.kind).toBe(bad(name) ? 'skipped' : 'done')
      }
    }),
    { numRuns: 200 },
  )
})
