import { ImageCacheError, messageOf } from '../base/errors.ts'
import { type ImageSpec, imageSpec } from './image-spec.ts'

const HINT = 'Specs are described in docs/spec.md; editors know them by schema/image-spec.schema.json.'

/**
 * Reads a spec: YAML, JSON, or the table `[tool.image-cache]` of a pyproject.toml.
 * @param text of a file, or of the input `spec`
 * @param place what messages call it: a path, or `spec`
 * @throws ImageCacheError E_INPUT with everything that is wrong with it
 */
export async function parseSpec(text: string, place: string): Promise<ImageSpec> {
  return checkSpec(await readText(text, place), place)
}

/** @throws ImageCacheError E_INPUT with everything that is wrong with a spec that is data already */
export function checkSpec(value: unknown, place: string): ImageSpec {
  const parsed = imageSpec.safeParse(value)
  if (parsed.success) return parsed.data
  const mistakes = parsed.error.issues.flatMap((issue) => told(issue, value).map((text) => `${place}: ${text}`))
  throw new ImageCacheError('E_INPUT', [...new Set(mistakes)].join('\n'), { hint: HINT })
}

async function readText(text: string, place: string): Promise<unknown> {
  try {
    if (!place.endsWith('.toml')) return (await import('yaml')).parse(text, { maxAliasCount: 0 })
    const { tool } = (await import('smol-toml')).parse(text)
    const table = typeof tool === 'object' && 'image-cache' in tool ? tool['image-cache'] : undefined
    if (table !== undefined) return table
  } catch (cause) {
    const [first] = messageOf(cause).split('\n')
    throw new ImageCacheError('E_INPUT', `${place}: can't be read: ${first}`, { hint: HINT, cause })
  }
  throw new ImageCacheError('E_INPUT', `${place}: has no table [tool.image-cache]`, { hint: HINT })
}

interface Issue {
  readonly code?: string | undefined
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly errors?: readonly (readonly Issue[])[]
}

/** Of a union the form that fits best speaks: the one that the user's own words stand in. */
function told({ code, path, message, errors = [] }: Issue, value: unknown): readonly string[] {
  if (code === 'invalid_union' && errors.length > 0) {
    const unlike = (issues: readonly Issue[]): number => issues.filter((issue) => issue.path.length < 2).length
    const ranked = errors.toSorted((a, b) => unlike(a) - unlike(b) || a.length - b.length)
    const [best = []] = ranked
    const isUnknown = path.at(-2) === 'layers' && best.every((issue) => issue.path.length < 2) && unlike(best) > 1
    if (isUnknown)
      return [`${nameOf(path)}: is none of apt, pip, requirements, wheels, project, script, run, copy, env`]
    return best.flatMap((issue) => told({ ...issue, path: [...path, ...issue.path] }, value))
  }
  return [`${nameOf(path)}: ${message.replace(/^Invalid input: /, '')}`]
}

/** `layers[2].pip`. */
function nameOf(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return text.replace(/^\./, '') || 'spec'
}
