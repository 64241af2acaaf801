import type { TaskInput, TaskSpec } from '../task-cache/task.ts'
import type { GraphNode } from './task-graph.ts'

/** A task of a graph. */
export interface GraphTask extends GraphNode {
  readonly spec: TaskSpec
  /** Seconds to wait for another job that runs the same task. */
  readonly waitLimit: number
}

/** What a task takes from one that it needs. */
export interface MetNeed {
  readonly name: string
  /** Digest that stands for all that the needed task makes; undefined when nobody made one: then its files are read. */
  readonly digest: string | undefined
  /** Patterns of the files that the digest stands for. */
  readonly files: readonly string[]
}

/**
 * A task as it is run when those that it needs are done: what they made is an input by digest. So its files needn't be
 * read once more, and a result that came out as before changes nothing here.
 */
export function bindNeeds(spec: TaskSpec, needs: readonly MetNeed[]): TaskSpec {
  const sorted = [...needs].sort((a, b) => (a.name < b.name ? -1 : 1))
  return { ...spec, inputs: [...spec.inputs, ...sorted.flatMap(inputsOf)] }
}

/** Patterns of the files that a task makes, without those that take files out. */
export function filesMadeBy({ outputs }: TaskSpec): readonly string[] {
  return outputs.files.filter((pattern) => !pattern.startsWith('!'))
}

function inputsOf({ name, digest, files }: MetNeed): readonly TaskInput[] {
  if (digest === undefined) return files.map((pattern) => ({ kind: 'glob', pattern }))
  return [
    ...files.map((pattern): TaskInput => ({ kind: 'glob', pattern: `!${pattern}` })),
    { kind: 'value', name: `needs.${name}`, text: digest },
  ]
}
