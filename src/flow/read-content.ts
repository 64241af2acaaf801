import { ImageCacheError } from '../base/errors.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { identifyTasks, readTasks } from './build-tasks.ts'
import { type Content, identifyContent, type UnknownContent } from './content.ts'
import { fetchContext } from './git-context.ts'
import { contextTools, readSource, type Source } from './source.ts'

/** What a build would be made of. */
export interface ReadContent {
  /** With a folder as context, also where a git repository was asked for. */
  readonly inputs: BuildInputs
  readonly source: Source
  readonly content: Content | UnknownContent
}

type ReadingDeps = Pick<Deps, 'context' | 'exec' | 'store' | 'clock' | 'signal' | 'env' | 'registry' | 'tasks'>

/**
 * What a build with these inputs is made of, for whoever only wants to know: no task runs and nothing is built.
 * @throws ImageCacheError when the sources can't be read
 */
export async function readContent(asked: BuildInputs, deps: ReadingDeps): Promise<ReadContent> {
  const inputs = await fetchContext(asked, deps)
  const tasks = await readTasks(inputs, deps)
  const tools = contextTools(deps)
  const source = await readSource(inputs, deps.context.workspace, tools, tasks.made)
  const made = await identifyTasks(tasks, deps)
  return { inputs, source, content: await identifyContent(inputs, source, deps.registry, tools, made) }
}

/**
 * The same, for whoever can't go on without a key.
 * @throws ImageCacheError E_CONTENT when the content can't be told, or when the sources can't be read
 */
export async function knownContent(
  asked: BuildInputs,
  deps: ReadingDeps,
): Promise<ReadContent & { readonly content: Content }> {
  const { content, ...read } = await readContent(asked, deps)
  if (content.kind === 'known') return { ...read, content }
  throw new ImageCacheError('E_CONTENT', `the content can't be told: ${content.reason}`, {
    hint: 'Every image and named context of the build must be reachable from here.',
  })
}
