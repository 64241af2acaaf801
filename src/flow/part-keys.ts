import type { Digest } from '../base/digest.ts'
import type { ComposedPart } from '../dockerfile/composed-part.ts'
import { groupKey } from '../dockerfile/group-key.ts'
import { copyKey } from '../image/copy-key.ts'
import { type StageQuestion, sourceKey } from './stage-key.ts'

/**
 * The content key of a part's layer, by which it is found again; undefined for what is made anew each time: folders,
 * and files of another stage that is made of things without a key.
 */
export function partKey(part: ComposedPart, question: StageQuestion): Digest | undefined {
  const { inputs, source } = question
  if (part.kind === 'folders') return undefined
  if (part.kind === 'group') return groupKey(part.layers, part.group, inputs, part.skeleton)
  const { copy, text, beginningOf } = part
  const from =
    beginningOf !== undefined
      ? sourceKey(beginningOf.stage, question, beginningOf.line)
      : copy.from === undefined
        ? undefined
        : sourceKey(copy.from, question)
  if (copy.from !== undefined && from === undefined) return undefined
  return copyKey({ text, sources: copy.sources, from }, source.files.entries, inputs)
}
