import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type GraphNode, orderTasks } from '../../src/task-graph/task-graph.ts'

function node(name: string, ...needs: readonly string[]): GraphNode {
  return { name, needs }
}

function order(nodes: readonly GraphNode[], ...wanted: readonly string[]): readonly string[] {
  const ordered = orderTasks(nodes, wanted)
  return ordered.kind === 'ordered' ? ordered.nodes.map(({ name }) => name) : ordered.mistakes
}

describe('the order of tasks', () => {
  test('is the given one where nothing is needed', () => {
    expect(order([node('c'), node('a'), node('b')])).toEqual(['c', 'a', 'b'])
  })

  test('puts what is needed first', () => {
    expect(order([node('test', 'build'), node('build', 'codegen'), node('codegen')])).toEqual([
      'codegen',
      'build',
      'test',
    ])
  })

  test('holds what was asked for and what that needs, once', () => {
    const nodes = [node('a'), node('b', 'a'), node('c', 'a'), node('d', 'b', 'c'), node('e')]
    expect(order(nodes, 'd')).toEqual(['a', 'b', 'c', 'd'])
    expect(order(nodes, 'c', 'c')).toEqual(['a', 'c'])
  })

  test('copes with a chain of ten thousand', () => {
    const chain = Array.from({ length: 10_000 }, (_, at) => node(`t${at}`, ...(at === 0 ? [] : [`t${at - 1}`])))
    expect(order([...chain].reverse(), 't9999')).toEqual(chain.map(({ name }) => name))
  })
})

describe('what is wrong with a graph', () => {
  test('is told all at once', () => {
    expect(order([node('a', 'x'), node('a'), node('b', 'y')], 'z')).toEqual([
      'a: is there twice',
      'z: there is no such task',
      'a: needs x, which is no task',
      'b: needs y, which is no task',
    ])
  })

  test.each([
    ['itself', [node('a', 'a')], 'a -> a'],
    ['two', [node('a', 'b'), node('b', 'a')], 'a -> b -> a'],
    ['some behind others', [node('x'), node('a', 'x', 'b'), node('b', 'c'), node('c', 'b')], 'b -> c -> b'],
  ])('names a circle of %s', (_, nodes, circle) => {
    expect(order(nodes)).toEqual([`tasks need one another in a circle: ${circle}`])
  })
})

/** Graphs of up to twenty tasks, with circles in some. */
const graphs = fc
  .array(fc.array(fc.nat(19), { maxLength: 4 }), { minLength: 1, maxLength: 20 })
  .map((needs) => needs.map((list, at) => node(`t${at}`, ...new Set(list.map((to) => `t${to % needs.length}`)))))

test('every graph is ordered so that needs come first, or has a circle that is really there', () => {
  fc.assert(
    fc.property(graphs, (nodes) => {
      const ordered = orderTasks(nodes, [])
      if (ordered.kind === 'ordered') {
        const at = new Map(ordered.nodes.map(({ name }, place) => [name, place]))
        expect(at.size).toBe(nodes.length)
        for (const { name, needs } of ordered.nodes) {
          for (const need of needs) expect(at.get(need)).toBeLessThan(at.get(name) ?? -1)
        }
        return
      }
      const [, circle = ''] = /: (.*)$/.exec(ordered.mistakes[0] ?? '') ?? []
      const names = circle.split(' -> ')
      expect(names.length).toBeGreaterThan(1)
      expect(names[0]).toBe(names.at(-1))
      for (const [at, name] of names.slice(0, -1).entries()) {
        expect(nodes.find((one) => one.name === name)?.needs).toContain(names[at + 1])
      }
    }),
  )
})
