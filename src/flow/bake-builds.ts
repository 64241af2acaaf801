import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type BakeTarget, readBakeDefinition } from '../bake/bake-definition.ts'
import { type TargetValues, targetValues } from '../bake/target-values.ts'
import { ImageCacheError } from '../base/errors.ts'
import { printBake } from '../buildx/print-bake.ts'
import type { Deps } from '../deps.ts'
import { readNamedContext } from '../image/named-context.ts'
import type { BakeInputs } from '../inputs/bake-inputs.ts'
import { type BuildInputs, parseBuildInputs } from '../inputs/build-inputs.ts'
import type { ReadInput } from '../inputs/input-reader.ts'
import { buildxOf } from './choose-builder.ts'

/** A target of a bake file as a build of its own. */
export interface BakeBuild extends Pick<BakeTarget, 'name' | 'isWanted' | 'needs'> {
  readonly inputs: BuildInputs
  /** The same as raw values, for the report. */
  readonly read: ReadInput
}

type BakeDeps = Pick<Deps, 'exec' | 'context' | 'signal' | 'builders'>

/**
 * The targets of the bake files as builds, those that are needed before those that need them.
 * @throws ImageCacheError E_INPUT with the mistakes of all targets together
 */
export async function readBakeBuilds(inputs: BakeInputs, deps: BakeDeps): Promise<readonly BakeBuild[]> {
  const cwd = resolve(deps.context.workspace, inputs.source)
  const buildx = await buildxOf(parseBuildInputs(inputs.shared), deps)
  const text = await printBake(deps.exec, { buildx, args: inputs.args, cwd, signal: deps.signal })
  const mistakes: string[] = []
  const builds: BakeBuild[] = []
  for (const target of readBakeDefinition(text)) {
    const values = targetValues(target)
    mistakes.push(...values.problems.map((problem) => `target ${target.name}: ${problem}`))
    try {
      builds.push(await bakeBuild(target, values, inputs, { ...deps, cwd }))
    } catch (error) {
      if (!(error instanceof ImageCacheError) || error.code !== 'E_INPUT') throw error
      mistakes.push(`target ${target.name}: ${error.message}`)
    }
  }
  if (mistakes.length === 0) return builds
  throw new ImageCacheError('E_INPUT', mistakes.join('; '), { hint: 'docs/bake.md says what a target may have.' })
}

async function bakeBuild(
  target: BakeTarget,
  values: TargetValues,
  { shared }: BakeInputs,
  { context, cwd }: BakeDeps & { readonly cwd: string },
): Promise<BakeBuild> {
  const read: ReadInput = (name) => values.inputs.get(name) || shared(name)
  const given = parseBuildInputs(read)
  const isFolder = isPath(given.context)
  const contexts = [...values.contexts].map(
    ([name, value]) => [name, isPath(value) ? resolve(cwd, value) : value] as const,
  )
  const inputs: BuildInputs = {
    ...given,
    context: isFolder ? resolve(cwd, given.context) : given.context,
    file: isFolder && given.file !== undefined ? resolve(cwd, given.file) : given.file,
    buildArgs: values.buildArgs,
    labels: values.labels,
    buildContexts: new Map(contexts),
    secrets: given.secrets.map(({ id, from }) => ({
      id,
      from: from.kind === 'file' ? { kind: 'file', path: resolve(cwd, from.path) } : from,
    })),
  }
  const { name, isWanted, needs } = target
  if (values.dockerfile === undefined) return { name, isWanted, needs, read, inputs }
  if (!isFolder) throw new ImageCacheError('E_INPUT', 'dockerfile-inline is not taken with a context that is no folder')
  const folder = join(context.tempDir, 'inline', name)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'Dockerfile'), values.dockerfile)
  return { name, isWanted, needs, read, inputs: { ...inputs, file: join(folder, 'Dockerfile') } }
}

function isPath(context: string): boolean {
  return readNamedContext(context).kind === 'folder'
}
