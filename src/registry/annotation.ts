/** What an annotation is written to. `manifest` is what buildx takes when nothing is said. */
export type AnnotationLevel = 'manifest' | 'index' | 'manifest-descriptor' | 'index-descriptor'

/** An annotation of an image, as `buildx build --annotation` takes it. */
export interface Annotation {
  readonly levels: readonly AnnotationLevel[]
  /** `os/architecture[/variant]`; undefined means every platform. */
  readonly platform: string | undefined
  readonly name: string
  readonly value: string
}

const LEVELS: readonly AnnotationLevel[] = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor']

/**
 * Reads `[level[,level][[platform]]:]NAME=VALUE` (docs of `docker buildx build --annotation`).
 * @returns the annotation, or a sentence part that says what is wrong with the text
 */
export function parseAnnotation(text: string): Annotation | string {
  const at = text.indexOf('=')
  if (at < 1) return 'is not NAME=VALUE'
  const [, types, , platform, name = ''] =
    /^(?:([a-z,-]+)(\[([A-Za-z0-9_/-]+)\])?:)?(\S+)$/.exec(text.slice(0, at)) ?? []
  if (name === '') return 'is not NAME=VALUE'
  const given = types?.split(',') ?? ['manifest']
  const levels = LEVELS.filter((level) => given.includes(level))
  const unknown = given.find((type) => !LEVELS.some((level) => level === type))
  if (unknown !== undefined) return `has the level ${JSON.stringify(unknown)}, which is not one of ${LEVELS.join(', ')}`
  return { levels, platform, name, value: text.slice(at + 1) }
}

/** One spelling for each annotation. `parseAnnotation` reads it back. */
export function formatAnnotation({ levels, platform, name, value }: Annotation): string {
  return `${levels.join(',')}${platform === undefined ? '' : `[${platform}]`}:${name}=${value}`
}
