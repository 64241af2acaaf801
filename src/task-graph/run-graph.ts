import type { GraphNode } from './task-graph.ts'

/** How a task of a graph ended: with its result, or not begun because of another one. */
export type NodeEnd<Result> =
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'skipped'; readonly because: string }

export interface RunGraphOptions<Node, Result> {
  /** Most tasks at the same time, 1 or more. */
  readonly limit: number
  /** After a failure: `true` still runs what doesn't need the failed task, `false` begins nothing more. */
  readonly keepGoing: boolean
  /** Runs one task. What it throws ends the whole run. */
  readonly run: (node: Node, needs: ReadonlyMap<string, Result>) => Promise<Result>
  /** Whether tasks that need this one may run. */
  readonly isGood: (result: Result) => boolean
  readonly onEnd?: (node: Node, end: NodeEnd<Result>) => void
}

/**
 * Runs tasks, each as soon as those that it needs have ended well and a place is free.
 * @param ordered as `orderTasks` answers it: each task after those that it needs
 * @returns how each task ended, by name, in the given order
 * @throws what `run` threw first, once everything that was running has ended
 */
export async function runGraph<Node extends GraphNode, Result>(
  ordered: readonly Node[],
  options: RunGraphOptions<Node, Result>,
): Promise<ReadonlyMap<string, NodeEnd<Result>>> {
  const ends = new Map<string, NodeEnd<Result>>()
  const thrown: unknown[] = []
  const running = new Set<Promise<void>>()
  let waiting = ordered
  let failed: string | undefined

  const end = (node: Node, how: NodeEnd<Result>): void => {
    ends.set(node.name, how)
    if (how.kind === 'done' && !options.isGood(how.result)) failed ??= node.name
    options.onEnd?.(node, how)
  }
  const start = (node: Node): void => {
    const work = options.run(node, resultsOf(node, ends)).then(
      (result) => end(node, { kind: 'done', result }),
      (error: unknown) => void thrown.push(error),
    )
    const tracked: Promise<void> = work.finally(() => running.delete(tracked))
    running.add(tracked)
  }
  /** Starts what may start; answers what has to wait on. */
  const advance = (): void => {
    const left: Node[] = []
    for (const node of waiting) {
      const because = options.keepGoing ? brokenNeed(node, ends, options.isGood) : failed
      if (because !== undefined) end(node, { kind: 'skipped', because })
      else if (running.size < options.limit && node.needs.every((need) => ends.has(need))) start(node)
      else left.push(node)
    }
    waiting = left
  }

  advance()
  while (running.size > 0) {
    await Promise.race(running)
    if (thrown.length === 0) advance()
  }
  if (thrown.length > 0) throw thrown[0]
  return new Map(ordered.flatMap(({ name }) => entry(name, ends.get(name))))
}

function resultsOf<Result>(node: GraphNode, ends: ReadonlyMap<string, NodeEnd<Result>>): ReadonlyMap<string, Result> {
  return new Map(
    node.needs.flatMap((need) => {
      const how = ends.get(need)
      return how?.kind === 'done' ? [[need, how.result] as const] : []
    }),
  )
}

/** The first needed task that failed or was left out itself. */
function brokenNeed<Result>(
  node: GraphNode,
  ends: ReadonlyMap<string, NodeEnd<Result>>,
  isGood: (result: Result) => boolean,
): string | undefined {
  return node.needs.find((need) => {
    const how = ends.get(need)
    return how !== undefined && (how.kind === 'skipped' || !isGood(how.result))
  })
}

function entry<Value>(name: string, value: Value | undefined): readonly (readonly [string, Value])[] {
  return value === undefined ? [] : [[name, value]]
}
