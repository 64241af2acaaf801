import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUILD_INPUTS, BUILD_OUTPUTS, type InputDescription } from '../../src/inputs/input-list.ts'

/** The text of action.yml. `src/inputs/input-list.ts` is the one place where inputs and outputs are described. */
export function actionYml(): string {
  const inputs = BUILD_INPUTS.flatMap(({ name, description, fallback }) => [
    `  ${name}:`,
    `    description: ${quoted(description)}`,
    '    required: false',
    `    default: ${quoted(fallback)}`,
  ])
  const outputs = BUILD_OUTPUTS.flatMap(([name, description]) => [
    `  ${name}:`,
    `    description: ${quoted(description)}`,
  ])
  return `${[
    'name: image-cache-action',
    'description: Builds container images in CI without doing the same work twice',
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
    '  main: dist/main/index.js',
    '  post: dist/post/index.js',
    '  post-if: always()',
  ].join('\n')}\n`
}

/**
 * A README whose tables say what the inputs and outputs are now; all else stays as it was.
 * @param readme text with `<!-- inputs -->`, `<!-- /inputs -->` and the same for outputs, each on a line of its own
 * @throws Error when a marker is missing
 */
export function withTables(readme: string): string {
  return between(between(readme, 'inputs', inputsTable()), 'outputs', outputsTable())
}

function inputsTable(): string {
  const rows = BUILD_INPUTS.map(
    (input) => `| \`${input.name}\` | ${takes(input)} | ${fallback(input)} | ${input.description} |`,
  )
  return ['| input | takes | default | what |', '|---|---|---|---|', ...rows].join('\n')
}

function outputsTable(): string {
  const rows = BUILD_OUTPUTS.map(([name, description]) => `| \`${name}\` | ${description} |`)
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
  if (from < 0 || to < from) throw new Error(`the README lacks the markers ${start.trim()} and ${end}`)
  return `${text.slice(0, from + start.length)}\n${content}\n\n${text.slice(to)}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '../..')
  writeFileSync(join(root, 'action.yml'), actionYml())
  const readme = join(root, 'README.md')
  writeFileSync(readme, withTables(readFileSync(readme, 'utf8')))
}
