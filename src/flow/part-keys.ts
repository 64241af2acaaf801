import type { Digest } from '../base/digest.ts'
import { keyHash } from '../base/key-hash.ts'
import type { ComposedPart } from '../dockerfile/composed-plan.ts'
import { groupKey } from '../dockerfile/group-key.ts'
import { externalImages } from '../dockerfile/stage-graph.ts'
import { usedBuildArgs } from '../dockerfile/used-build-args.ts'
import { copyKey } from '../image/copy-key.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { Content, UnknownContent } from './content.ts'
import { buildOptions, type Source } from './source.ts'

/**
 * The content key of a part's layer, by which it is found again; undefined for what is made anew each time: folders,
 * and files of another stage that is made of things without a key.
 */
export function partKey(
  part: ComposedPart,
  inputs: BuildInputs,
  source: Source,
  content: Content | UnknownContent,
): Digest | undefined {
  if (part.kind === 'folders') return undefined
  if (part.kind === 'group') return groupKey(part.layers, part.group, inputs)
  const { copy, text } = part
  const from = copy.from === undefined ? undefined : sourceKey(copy.from, inputs, source, content)
  if (copy.from !== undefined && from === undefined) return undefined
  return copyKey({ text, sources: copy.sources, from }, source.files.entries, inputs)
}

/** All that a stage, or an image, may be made of: more than it is made of, so that the key never stays when it should not. */
function sourceKey(
  from: string,
  inputs: BuildInputs,
  source: Source,
  content: Content | UnknownContent,
): Digest | undefined {
  if (content.kind === 'unknown') return undefined
  // Contexts may be folders, or repositories that move.
  if ([...inputs.buildContexts.values()].some((value) => !value.startsWith('docker-image://'))) return undefined
  const { dockerfile, files } = source
  const options = buildOptions(inputs)
  const stage = dockerfile.stages.find(({ name, index }) => name === from.toLowerCase() || String(index) === from)
  if (stage === undefined) return content.images.find(({ name }) => name === from)?.digest
  const needed =
    stage.name === undefined
      ? undefined
      : new Set(externalImages(dockerfile, { ...options, target: stage.name }).map(({ reference }) => reference))
  const images = content.images.filter(({ name }) => needed === undefined || needed.has(name))
  const used = new Set(usedBuildArgs(dockerfile, options))
  return keyHash({
    dockerfile: dockerfile.text,
    stage: stage.index,
    context: files.digest,
    buildArgs: Object.fromEntries([...inputs.buildArgs].filter(([name]) => used.has(name))),
    images: Object.fromEntries(images.map(({ name, digest }) => [name, digest])),
    secretIds: inputs.secrets.map(({ id }) => id).sort(),
    platform: options.platform,
  })
}
