import { type ImageReference, parseReference, type RepositoryName } from '../registry/reference.ts'
import type { InputReader } from './input-reader.ts'

/** The names that the image gets; without a word the tag is `latest`. */
export function references(reader: InputReader, input: string): readonly ImageReference[] {
  return toReferences(reader, input, reader.list(input))
}

/** @param input whose mistake it is when a text is no name. */
export function toReferences(reader: InputReader, input: string, texts: readonly string[]): readonly ImageReference[] {
  return texts.flatMap((text) => {
    const reference = parseReference(text)
    if (typeof reference === 'string') reader.mistake(input, text, reference)
    else if (reference.digest !== undefined) reader.mistake(input, text, 'has a digest, a tag is wanted')
    else return [{ ...reference, tag: reference.tag ?? 'latest' }]
    return []
  })
}

/** The repository for layers, which has neither tag nor digest. */
export function layersRepository(reader: InputReader): RepositoryName | undefined {
  const text = reader.text('layers-repository')
  if (text === undefined) return undefined
  const reference = parseReference(text)
  if (typeof reference === 'string') reader.mistake('layers-repository', text, reference)
  else if (reference.digest !== undefined || /:[^/]*$/.test(text))
    reader.mistake('layers-repository', text, 'has a tag or a digest, a repository alone is wanted')
  else return { registry: reference.registry, path: reference.path }
  return undefined
}
