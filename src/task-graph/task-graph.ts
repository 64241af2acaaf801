/** A task's place among others. */
export interface GraphNode {
  readonly name: string
  /** Names of the tasks whose outputs this one reads. */
  readonly needs: readonly string[]
}

/** Tasks in an order in which each one comes after those that it needs, or everything that is wrong with them. */
export type TaskOrder<Node> =
  | { readonly kind: 'ordered'; readonly nodes: readonly Node[] }
  | { readonly kind: 'wrong'; readonly mistakes: readonly string[] }

/**
 * Orders tasks for a run. Where their needs leave a choice the order is the given one.
 * @param wanted names of the tasks that are asked for, which brings in what they need; empty means all
 */
export function orderTasks<Node extends GraphNode>(nodes: readonly Node[], wanted: readonly string[]): TaskOrder<Node> {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const mistakes = [
    ...repeated(nodes.map(({ name }) => name)).map((name) => `${name}: is there twice`),
    ...wanted.filter((name) => !byName.has(name)).map((name) => `${name}: there is no such task`),
    ...nodes.flatMap(({ name, needs }) =>
      needs.filter((need) => !byName.has(need)).map((need) => `${name}: needs ${need}, which is no task`),
    ),
  ]
  if (mistakes.length > 0) return { kind: 'wrong', mistakes }
  const circle = findCircle(nodes, byName)
  if (circle !== undefined) return { kind: 'wrong', mistakes: [`tasks need one another in a circle: ${circle}`] }
  const chosen = closureOf(wanted.length === 0 ? [...byName.keys()] : wanted, byName)
  return { kind: 'ordered', nodes: sorted(nodes, chosen) }
}

/** The names of the tasks that these need, directly or through others, and their own. */
export function closureOf(names: readonly string[], byName: ReadonlyMap<string, GraphNode>): ReadonlySet<string> {
  const found = new Set<string>()
  const open = [...names]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    found.add(name)
    open.push(...(byName.get(name)?.needs ?? []))
  }
  return found
}

/** Layer by layer without recursion: a graph may be a chain of thousands. */
function sorted<Node extends GraphNode>(nodes: readonly Node[], chosen: ReadonlySet<string>): readonly Node[] {
  const left = new Map(nodes.filter(({ name }) => chosen.has(name)).map((node) => [node.name, new Set(node.needs)]))
  const dependents = new Map<string, string[]>()
  for (const [name, needs] of left) {
    for (const need of needs) dependents.set(need, [...(dependents.get(need) ?? []), name])
  }
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const order: Node[] = []
  let ready = [...left].filter(([, needs]) => needs.size === 0).map(([name]) => name)
  while (ready.length > 0) {
    const next: string[] = []
    for (const name of ready) {
      const node = byName.get(name)
      if (node !== undefined) order.push(node)
      for (const dependent of dependents.get(name) ?? []) {
        const needs = left.get(dependent)
        needs?.delete(name)
        if (needs?.size === 0) next.push(dependent)
      }
    }
    ready = next
  }
  return order
}

/** One circle, as `a -> b -> a`: what is left when everything that waits for nothing has been taken away. */
function findCircle(nodes: readonly GraphNode[], byName: ReadonlyMap<string, GraphNode>): string | undefined {
  const inOrder = new Set(sorted(nodes, new Set(byName.keys())).map(({ name }) => name))
  const stuck = nodes.find(({ name }) => !inOrder.has(name))
  if (stuck === undefined) return undefined
  const path: string[] = []
  // Of what is stuck each needs another that is stuck: following them leads back to one that was passed.
  for (let name: string | undefined = stuck.name; name !== undefined; ) {
    const at = path.indexOf(name)
    if (at >= 0) return [...path.slice(at), name].join(' -> ')
    path.push(name)
    name = byName.get(name)?.needs.find((need) => !inOrder.has(need))
  }
  return undefined
}

function repeated(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, at) => names.indexOf(name) !== at))]
}
