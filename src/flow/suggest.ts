import { createTwoFilesPatch } from 'diff'
import type { FoundBuilder } from '../buildx/builder.ts'
import type { Deps } from '../deps.ts'
import type { Dockerfile } from '../dockerfile/dockerfile.ts'
import { parseDockerfile } from '../dockerfile/parse-dockerfile.ts'
import { suggestEdits } from '../dockerfile/suggest-edits.ts'
import { applyEdits } from '../dockerfile/text-edit.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { Content, UnknownContent } from './content.ts'
import { type PlannedDockerfile, planDockerfile } from './plan-dockerfile.ts'
import type { Source } from './source.ts'

/** An edit of the Dockerfile that the planner has tried. */
export interface Suggestion {
  readonly line: number
  readonly sentence: string
  /** Unified diff. */
  readonly diff: string
  /** Bytes of packages that become layers of their own by it, compressed. */
  readonly bytes: number
  readonly packages: number
}

/** Tries small edits for the steps that stay, one by one, and keeps those by which more packages become layers. */
export async function suggest(
  inputs: BuildInputs,
  source: Source,
  content: Content | UnknownContent,
  builder: Promise<FoundBuilder>,
  deps: Deps,
): Promise<readonly Suggestion[]> {
  const plan = (dockerfile: Dockerfile): Promise<PlannedDockerfile> =>
    planDockerfile(inputs, { ...source, dockerfile }, content, builder, deps)
  const now = await plan(source.dockerfile)
  const before = layered(now)
  const { fileName, text } = source.dockerfile
  const found: Suggestion[] = []
  for (const { line, sentence, edits } of suggestEdits(source.dockerfile, now.refusals ?? [])) {
    const edited = applyEdits(text, edits)
    const after = layered(await plan(parseDockerfile(edited, fileName)))
    if (after.packages <= before.packages) continue
    const diff = createTwoFilesPatch(`a/${fileName}`, `b/${fileName}`, text, edited, '', '', { context: 2 })
    const gain = { bytes: after.bytes - before.bytes, packages: after.packages - before.packages }
    found.push({ line, sentence, diff: diff.replace(/^=+\n/, ''), ...gain })
  }
  return found
}

function layered({ layers }: PlannedDockerfile): { readonly bytes: number; readonly packages: number } {
  const groups = layers.filter(({ way }) => way !== 'seed').flatMap(({ plan }) => plan.groups)
  const packages = groups.reduce((sum, group) => sum + group.packages.length, 0)
  return { bytes: groups.reduce((sum, { size }) => sum + size, 0), packages }
}
