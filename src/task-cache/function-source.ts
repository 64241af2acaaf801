import type { Node } from 'acorn'

/** A function as the key sees it. */
export interface FunctionSource {
  /** Its syntax tree as text: comments, white space and the form of literals don't count, all else does. */
  readonly tree: string
  /** Names of its parameters; `argument 2` and so on where one is taken apart. */
  readonly parameters: readonly string[]
}

/** Fields of a tree that tell where something stands, and how a literal is written. */
const NOT_CONTENT = new Set(['start', 'end', 'loc', 'range', 'raw'])
type Callable = (...args: never[]) => unknown

/**
 * Reads a function's own source. What it closes over and what it imports is not in it.
 * @returns undefined for functions that have none, such as native and bound ones
 */
export async function functionSource(called: Callable): Promise<FunctionSource | undefined> {
  const { parse } = await import('acorn')
  const text = called.toString()
  // A method is no expression by itself; each form is a part of the key, since it may mean something else.
  for (const [form, program] of [
    ['function', `(${text})`],
    ['method', `({${text}})`],
    ['class method', `(class {${text}})`],
  ] as const) {
    try {
      const tree = parse(program, { ecmaVersion: 'latest', sourceType: 'module', allowSuperOutsideMethod: true })
      return { tree: JSON.stringify([form, tree], keepContent), parameters: parametersOf(tree, called.length) }
    } catch {
      // The next form, then.
    }
  }
  return undefined
}

function keepContent(name: string, value: unknown): unknown {
  if (name === 'raw' && typeof value === 'string') return undefined
  if (NOT_CONTENT.has(name)) return undefined
  if (typeof value === 'bigint') return `${value}n`
  // A regular expression stands in its field `regex`.
  if (value instanceof RegExp) return undefined
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

function parametersOf(tree: Node, length: number): readonly string[] {
  const params = findParameters(tree)
  if (params === undefined) return Array.from({ length }, (_, index) => `argument ${index + 1}`)
  return params.map((param, index) => nameOf(param) ?? `argument ${index + 1}`)
}

/** The first list of parameters in a tree is that of the function itself. */
function findParameters(node: unknown): readonly unknown[] | undefined {
  if (Array.isArray(node)) return first(node)
  if (!isObject(node)) return undefined
  if (Array.isArray(node.params)) return node.params
  return first(Object.values(node))
}

function first(nodes: readonly unknown[]): readonly unknown[] | undefined {
  for (const node of nodes) {
    const found = findParameters(node)
    if (found !== undefined) return found
  }
  return undefined
}

function nameOf(param: unknown): string | undefined {
  if (!isObject(param)) return undefined
  if (typeof param.name === 'string') return param.name
  return nameOf(param.left ?? param.argument)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
