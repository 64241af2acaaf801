import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BAKE_INPUTS, BAKE_OUTPUTS } from '../../src/inputs/bake-input-list.ts'
import { CHECK_INPUTS, CHECK_OUTPUTS } from '../../src/inputs/check-input-list.ts'
import { BUILD_INPUTS, BUILD_OUTPUTS, type InputDescription } from '../../src/inputs/input-list.ts'
import { MERGE_INPUTS, MERGE_OUTPUTS } from '../../src/inputs/merge-input-list.ts'
import { TASK_INPUTS, TASK_OUTPUTS } from '../../src/inputs/task-input-list.ts'
import { imageSpecSchema } from '../../src/spec/image-spec.ts'

interface ActionDescription {
  readonly name: string
  readonly description: string
  readonly inputs: readonly InputDescription[]
  readonly outputs: readonly (readonly [name: string, description: string])[]
  /** Where `dist` is, seen from the folder of the action. */
  readonly dist: string
  readonly main: string
  readonly hasPost?: boolean
}

/** The text of action.yml. `src/inputs/input-list.ts` is the one place where inputs and outputs are described. */
export function actionYml(): string {
  return descriptionYml({
    name: 'image-cache-action',
    description: 'Builds container images in CI without doing the same work twice',
    inputs: BUILD_INPUTS,
    outputs: BUILD_OUTPUTS,
    dist: 'dist',
    main: 'main',
  })
}

/** The text of check/action.yml, from `src/inputs/check-input-list.ts`. */
export function checkActionYml(): string {
  return descriptionYml({
    name: 'image-cache-action/check',
    description: 'Tells whether a container image exists, by its content or by its name',
    inputs: CHECK_INPUTS,
    outputs: CHECK_OUTPUTS,
    dist: '../dist',
    main: 'check',
  })
}

/** The text of task/action.yml, from `src/inputs/task-input-list.ts`. What a workflow may have a default for is empty. */
export function taskActionYml(): string {
  return descriptionYml({
    name: 'image-cache-action/task',
    description: 'Runs a step, or brings its outputs back when nothing it depends on has changed',
    inputs: TASK_INPUTS.map((one) => (one.inherits === 'no' ? one : { ...one, fallback: '' })),
    outputs: TASK_OUTPUTS,
    dist: '../dist',
    main: 'task',
  })
}

/** The text of merge/action.yml, from `src/inputs/merge-input-list.ts`. */
export function mergeActionYml(): string {
  return descriptionYml({
    name: 'image-cache-action/merge',
    description: 'Makes one image for several platforms out of the digests that the jobs of a matrix pushed',
    inputs: MERGE_INPUTS,
    outputs: MERGE_OUTPUTS,
    dist: '../dist',
    main: 'merge',
    hasPost: false,
  })
}

/** The text of bake/action.yml, from `src/inputs/bake-input-list.ts`. */
export function bakeActionYml(): string {
  return descriptionYml({
    name: 'image-cache-action/bake',
    description: 'Builds the targets of bake files without doing the same work twice',
    inputs: BAKE_INPUTS,
    outputs: BAKE_OUTPUTS,
    dist: '../dist',
    main: 'bake',
  })
}

/** The same for docs/bake.md and the bake action. */
export function withBakeTables(document: string): string {
  return between(between(document, 'inputs', inputsTable(BAKE_INPUTS)), 'outputs', outputsTable(BAKE_OUTPUTS))
}

/** The same for docs/multi-platform.md and the merge action. */
export function withMergeTables(document: string): string {
  return between(between(document, 'inputs', inputsTable(MERGE_INPUTS)), 'outputs', outputsTable(MERGE_OUTPUTS))
}

function descriptionYml(action: ActionDescription): string {
  const inputs = action.inputs.flatMap(({ name, description, fallback }) => [
    `  ${name}:`,
    `    description: ${quoted(description)}`,
    '    required: false',
    `    default: ${quoted(fallback)}`,
  ])
  const outputs = action.outputs.flatMap(([name, description]) => [
    `  ${name}:`,
    `    description: ${quoted(description)}`,
  ])
  return `${[
    `name: ${action.name}`,
    `description: ${action.description}`,
    'author: image-cache-action',
    'branding:',
    '  icon: layers',
    '  color: blue',
    'inputs:',
    ...inputs,
    'outputs:',
    ...outputs,
    'runs:',
    '  using: node24',
    `  main: ${action.dist}/${action.main}/index.js`,
    ...(action.hasPost === false ? [] : [`  post: ${action.dist}/post/index.js`, '  post-if: always()']),
  ].join('\n')}\n`
}

/**
 * A README whose tables say what the inputs and outputs are now; all else stays as it was.
 * @param readme text with `<!-- inputs -->`, `<!-- /inputs -->` and the same for outputs, each on a line of its own
 * @throws Error when a marker is missing
 */
export function withTables(readme: string): string {
  return between(between(readme, 'inputs', inputsTable(BUILD_INPUTS)), 'outputs', outputsTable(BUILD_OUTPUTS))
}

/** The same for docs/task-cache.md and the task action. */
export function withTaskTables(document: string): string {
  return between(between(document, 'inputs', inputsTable(TASK_INPUTS)), 'outputs', outputsTable(TASK_OUTPUTS))
}

function inputsTable(inputs: readonly InputDescription[]): string {
  const rows = inputs.map(
    (input) => `| \`${input.name}\` | ${takes(input)} | ${fallback(input)} | ${input.description} |`,
  )
  return ['| input | takes | default | what |', '|---|---|---|---|', ...rows].join('\n')
}

function outputsTable(outputs: ActionDescription['outputs']): string {
  const rows = outputs.map(([name, description]) => `| \`${name}\` | ${description} |`)
  return ['| output | what |', '|---|---|', ...rows].join('\n')
}

function takes({ kind }: InputDescription): string {
  return { text: 'text', flag: '`true`, `false`', list: 'list' }[kind]
}

function fallback({ fallback: value }: InputDescription): string {
  return value === '' ? '' : `\`${value}\``
}

function between(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`]
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the document lacks the markers ${start.trim()} and ${end}`)
  return `${text.slice(0, from + start.length)}\n${content}\n\n${text.slice(to)}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '../..')
  writeFileSync(join(root, 'action.yml'), actionYml())
  writeFileSync(join(root, 'check/action.yml'), checkActionYml())
  writeFileSync(join(root, 'task/action.yml'), taskActionYml())
  writeFileSync(join(root, 'merge/action.yml'), mergeActionYml())
  writeFileSync(join(root, 'bake/action.yml'), bakeActionYml())
  const bake = join(root, 'docs/bake.md')
  writeFileSync(bake, withBakeTables(readFileSync(bake, 'utf8')))
  const readme = join(root, 'README.md')
  writeFileSync(readme, withTables(readFileSync(readme, 'utf8')))
  const platforms = join(root, 'docs/multi-platform.md')
  writeFileSync(platforms, withMergeTables(readFileSync(platforms, 'utf8')))
  const tasks = join(root, 'docs/task-cache.md')
  writeFileSync(tasks, withTaskTables(readFileSync(tasks, 'utf8')))
  writeFileSync(join(root, 'schema/image-spec.schema.json'), `${JSON.stringify(imageSpecSchema(), null, 2)}\n`)
}
