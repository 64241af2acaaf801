import type { StoreSetting } from '../stores/store-setting.ts'
import type { GraphTask } from '../task-graph/graph-task.ts'
import { outputConflicts } from '../task-graph/output-conflicts.ts'
import { orderTasks } from '../task-graph/task-graph.ts'
import { InputReader, inputError } from './input-reader.ts'
import { readStore } from './store-input.ts'
import { mergeDefaults, readDefaults, type TaskDefaults } from './task-defaults.ts'
import { TASK_INPUTS } from './task-input-list.ts'
import { type ParseTaskOptions, parseTaskInputs, type TaskSurroundings } from './task-inputs.ts'
import { inputText, isMapping, readYaml, type YamlMapping, type YamlNode } from './yaml-text.ts'

/** Tasks that are run together. */
export interface TaskFile {
  readonly tasks: readonly GraphTask[]
  /** Most tasks at the same time; undefined leaves it to the machine. */
  readonly concurrency: number | undefined
  readonly store: StoreSetting
}

export interface ParseTaskFileOptions extends TaskSurroundings {
  /** What messages call the text: `tasks.yml`. */
  readonly place: string
}

const TOP = ['tasks', 'defaults', 'concurrency', 'store']
/** Of a task's inputs all but its name, which is its key, and the store, which is one for all. */
const FIELDS = ['needs', ...TASK_INPUTS.map(({ name }) => name).filter((name) => name !== 'name' && name !== 'store')]
const HINT = 'Files of tasks are described in docs/tasks.md.'

/**
 * Reads tasks with their needs: a document with `tasks`, and `defaults`, `concurrency` and `store` beside them, or the
 * mapping of tasks alone.
 * @throws ImageCacheError E_INPUT with everything that is wrong with it
 */
export async function parseTaskFile(text: string, options: ParseTaskFileOptions): Promise<TaskFile> {
  const { place, defaults: workflow = new Map<string, string>() } = options
  const top = await readTop(text, place)
  const unknown = Object.keys(top).filter((name) => !TOP.includes(name))
  const [own, wrong] = isMapping(top.defaults) ? readDefaults(top.defaults, `${place}: defaults.`) : NOTHING
  const defaults = mergeDefaults(workflow, own)
  const reader = new InputReader(
    (name) => textOf(top, name) || defaults.get(name) || (name === 'store' ? 'auto' : ''),
    (name) => `${place}: ${name}`,
  )
  const named = isMapping(top.tasks) ? Object.entries(top.tasks) : []
  const parsed = named.map(([name, node]) => readTask(name, node, { ...options, defaults }))
  const tasks = parsed.flatMap(({ task }) => task ?? [])
  const file: TaskFile = {
    tasks,
    concurrency: concurrency(reader),
    store: readStore(reader),
  }
  const mistakes = [
    ...(named.length === 0 ? [`${place}: holds no tasks`] : []),
    ...unknown.map((name) => `${place}: ${name}: is not one of ${TOP.join(', ')}`),
    ...wrong,
    ...reader.mistakes(),
    ...parsed.flatMap((one) => one.mistakes),
  ]
  // With a task missing everything that needs it would be wrong, too.
  if (mistakes.length === 0) mistakes.push(...graphMistakes(tasks, place))
  if (mistakes.length > 0) throw inputError(mistakes, HINT)
  return file
}

const NOTHING: readonly [TaskDefaults, readonly string[]] = [new Map(), []]

async function readTop(text: string, place: string): Promise<YamlMapping> {
  const read = await readYaml(text, place)
  if (read.kind === 'broken') throw inputError([`${place}: ${read.why}`], HINT)
  const document = isMapping(read.node) ? read.node : {}
  return 'tasks' in document ? document : { tasks: document }
}

function graphMistakes(tasks: readonly GraphTask[], place: string): readonly string[] {
  const order = orderTasks(tasks, [])
  const wrong = order.kind === 'wrong' ? order.mistakes : []
  return [...wrong, ...outputConflicts(tasks)].map((mistake) => `${place}: ${mistake}`)
}

function readTask(
  name: string,
  node: YamlNode,
  { place, ...options }: ParseTaskFileOptions,
): { readonly task?: GraphTask; readonly mistakes: readonly string[] } {
  const label = (field: string): string => `${place}: tasks.${name}.${field}`
  if (!isMapping(node)) return { mistakes: [`${place}: tasks.${name}: is no mapping`] }
  const mistakes = Object.keys(node)
    .filter((field) => !FIELDS.includes(field))
    .map((field) => `${label(field)}: is not one of ${FIELDS.join(', ')}`)
  for (const [field, value] of Object.entries(node)) {
    const text = inputText(value)
    if (typeof text !== 'string') mistakes.push(`${label(field)}: ${text.mistake}`)
  }
  const parseOptions: ParseTaskOptions = { ...options, label }
  const parsed = parseTaskInputs((field) => (field === 'name' ? name : textOf(node, field)), parseOptions)
  if (parsed.kind === 'wrong') return { mistakes: [...mistakes, ...parsed.mistakes] }
  const needs = new InputReader((field) => textOf(node, field)).list('needs')
  const { spec, waitLimit } = parsed.inputs
  return { task: { name, needs: [...new Set(needs)], spec, waitLimit }, mistakes }
}

function concurrency(reader: InputReader): number | undefined {
  const text = reader.text('concurrency')
  if (text === undefined) return undefined
  const parsed = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (parsed < 1) reader.mistake('concurrency', text, 'is not a whole number from 1 to 9999')
  return Math.max(1, parsed)
}

/** A field as text; what is no text was refused before. */
function textOf(mapping: YamlMapping, name: string): string {
  const node = Object.hasOwn(mapping, name) ? mapping[name] : undefined
  const text = node === undefined ? '' : inputText(node)
  return typeof text === 'string' ? text : ''
}
