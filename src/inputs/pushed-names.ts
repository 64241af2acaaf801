import { splitFields } from '../buildx/option-fields.ts'
import type { ImageReference } from '../registry/reference.ts'
import { type InputReader, splitCsv } from './input-reader.ts'
import { references, toReferences } from './reference-inputs.ts'

/** Where the image goes. Pushed by digest it gets no tags: `tags` are then repositories alone. */
export interface Pushed {
  readonly tags: readonly ImageReference[]
  readonly push: boolean
  /** Outputs besides those that `push` makes. */
  readonly outputs: readonly string[]
}

/** Fields of an image output that say no more than `push: by-digest` does. */
const BY_DIGEST_FIELDS: ReadonlySet<string> = new Set(['type', 'name', 'push', 'push-by-digest', 'name-canonical'])

/**
 * Reads `tags`, `push` and `outputs` together: `push: by-digest` and an output such as
 * `type=image,name=org/app,push-by-digest=true,name-canonical=true,push=true` are one.
 */
export function readPushed(reader: InputReader): Pushed {
  const given = reader.text('push') === 'by-digest'
  const lines = reader.lines('outputs')
  const names = lines.map(namesByDigest)
  const isByDigest = given || names.some((found) => found !== undefined)
  const outputs = lines.filter((_, index) => names[index] === undefined)
  if (!isByDigest) return withNamedOutputs({ tags: references(reader, 'tags'), push: reader.flag('push'), outputs })
  const tags = [
    ...references(reader, 'tags'),
    ...toReferences(
      reader,
      'outputs',
      names.flatMap((found) => found ?? []),
    ),
  ]
  const repositories = new Map(tags.map(({ registry, path }) => [`${registry}/${path}`, { registry, path }]))
  return { tags: [...repositories.values()], push: true, outputs }
}

/** Without tags it is the outputs with names of their own that `push` pushes, as buildx has it. */
function withNamedOutputs(pushed: Pushed): Pushed {
  const isNamed = (output: string): boolean => {
    const fields = splitFields(output)
    return typeof fields !== 'string' && fields.get('type') === 'image' && fields.has('name')
  }
  if (!pushed.push || pushed.tags.length > 0 || !pushed.outputs.some(isNamed)) return pushed
  const outputs = pushed.outputs.map((output) => (isNamed(output) ? `${output},push=true` : output))
  return { ...pushed, push: false, outputs }
}

/** Names that an output pushes to by digest; undefined for any other output. */
function namesByDigest(output: string): readonly string[] | undefined {
  const fields = splitFields(output)
  if (typeof fields === 'string' || fields.get('push-by-digest') !== 'true') return undefined
  const isPushed =
    fields.get('type') === 'registry' || (fields.get('type') === 'image' && fields.get('push') === 'true')
  // A field that only the builder understands is left to the builder.
  if (!isPushed || [...fields.keys()].some((name) => !BY_DIGEST_FIELDS.has(name))) return undefined
  const name = fields.get('name') ?? ''
  return name === '' ? [] : splitCsv(name)
}
