import { type Annotation, formatAnnotation } from '../registry/annotation.ts'

/**
 * Whether a label's or annotation's name is one of the volatile ones, which change with each commit or minute and say
 * nothing of the content.
 * @param globs `*` stands for any characters
 */
export function isVolatile(name: string, globs: readonly string[]): boolean {
  return globs.some((glob) => {
    const pattern = glob.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${pattern.join('.*')}$`).test(name)
  })
}

/** The labels that say something of the content, and so belong to its key. */
export function lastingLabels(
  labels: ReadonlyMap<string, string>,
  globs: readonly string[],
): ReadonlyMap<string, string> {
  return new Map([...labels].filter(([name]) => !isVolatile(name, globs)))
}

export function volatileLabels(
  labels: ReadonlyMap<string, string>,
  globs: readonly string[],
): ReadonlyMap<string, string> {
  return new Map([...labels].filter(([name]) => isVolatile(name, globs)))
}

/** As texts, for the content's key. */
export function lastingAnnotations(annotations: readonly Annotation[], globs: readonly string[]): readonly string[] {
  return annotations.filter(({ name }) => !isVolatile(name, globs)).map(formatAnnotation)
}

export function volatileAnnotations(
  annotations: readonly Annotation[],
  globs: readonly string[],
): readonly Annotation[] {
  return annotations.filter(({ name }) => isVolatile(name, globs))
}
