import { BAKE_INPUTS, SHARED_INPUTS } from './bake-input-list.ts'
import { InputReader, type ReadInput } from './input-reader.ts'

/** What the bake action takes, checked. */
export interface BakeInputs {
  /** What `buildx bake` is to print, as its arguments. */
  readonly args: readonly string[]
  /** Folder of the bake files, as seen from the workspace. */
  readonly source: string
  readonly builder: string | undefined
  /** The inputs that hold for every target; all others are empty. */
  readonly shared: ReadInput
}

/**
 * The one parser of the bake action's own inputs; those that hold for every target are checked with each of them.
 * @throws ImageCacheError E_INPUT that lists all mistakes together
 */
export function parseBakeInputs(read: ReadInput): BakeInputs {
  const fallbacks = new Map(BAKE_INPUTS.map(({ name, fallback }) => [name, fallback]))
  const reader = new InputReader((name) => read(name).trim() || (fallbacks.get(name) ?? ''))
  const given = (option: string, values: readonly string[]): readonly string[] =>
    values.flatMap((value) => [option, value])
  const flags = ['push', 'load', 'no-cache', 'pull'].filter((name) => reader.flag(name)).map((name) => `--${name}`)
  const texts = ['provenance', 'sbom'].flatMap((name) => given(`--${name}`, [reader.text(name) ?? ''].filter(Boolean)))
  const targets = reader.list('targets')
  for (const target of targets) {
    if (!/^\w[\w-]*$/.test(target)) reader.mistake('targets', target, 'is not the name of a target or a group')
  }
  const args = [
    ...given('--file', reader.list('files')),
    ...given('--set', reader.lines('set')),
    ...given(
      '--var',
      [...reader.pairs('vars')].map(([name, value]) => `${name}=${value}`),
    ),
    ...[...flags, ...texts, ...targets],
  ]
  const source = reader.text('source') ?? '.'
  if (/^[a-z][\w+.-]*:|\{\{|^[\w.-]+@[\w.-]+:|^github\.com\//.test(source)) {
    reader.mistake('source', source, 'is no folder: check the repository out, and name its folder')
  }
  const builder = reader.text('builder')
  reader.finish()
  const isShared = new Set(SHARED_INPUTS.map(({ name }) => name))
  return { args, source, builder, shared: (name) => (isShared.has(name) ? read(name) : '') }
}
