import type { ContentKeyParts } from './content-key.ts'

/** One thing that a content key is made of, as people know it. */
export interface KeyPart {
  /** `target`, `build argument VERSION`, `base image python:3.12-slim`. */
  readonly name: string
  readonly value: string
}

type Nested = string | number | undefined | readonly string[] | ReadonlyMap<string, string> | Record<string, unknown>

/** Names for people; a part that isn't named here is called by its own name. */
const NAMES: Readonly<Record<string, string>> = {
  dockerfile: 'Dockerfile',
  buildArgs: 'build argument',
  builderPlatform: "the builder's platform",
  namedContexts: 'named context',
  images: 'image',
  labels: 'label',
  secretIds: 'secrets',
  sbom: 'SBOM',
  layers: 'layers',
}

/**
 * A key's parts but the files of the context, one for each argument, image and label, so that two lists can be compared.
 * @param bases names of those images that stages stand on
 */
export function keyParts(parts: ContentKeyParts, bases: ReadonlySet<string>): readonly KeyPart[] {
  const { context: _files, namedContexts, ...others } = parts
  // A named context that stands for an image is told as the image.
  const contexts = new Map([...namedContexts].filter(([name]) => !parts.images.has(name)))
  const list = Object.entries({ ...others, namedContexts: contexts }).flatMap(([field, value]) =>
    flatten(NAMES[field] ?? words(field), value),
  )
  return list.map(({ name, value }) => {
    const image = name.startsWith('image ') ? name.slice('image '.length) : ''
    return { name: bases.has(image) ? `base image ${image}` : name, value }
  })
}

function flatten(name: string, value: Nested): readonly KeyPart[] {
  if (value === undefined) return []
  if (typeof value === 'string' || typeof value === 'number') return [{ name, value: String(value) }]
  if (value instanceof Map) return [...value].map(([key, text]) => ({ name: `${name} ${key}`, value: text }))
  if (Array.isArray(value)) return value.length === 0 ? [] : [{ name, value: JSON.stringify([...value].sort()) }]
  return Object.entries(value).flatMap(([field, inner]) => {
    if (inner === undefined || (Array.isArray(inner) && inner.length === 0)) return []
    return [{ name: `${name}: ${words(field)}`, value: typeof inner === 'string' ? inner : JSON.stringify(inner) }]
  })
}

/** `maxLayers` as `max layers`. */
function words(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
