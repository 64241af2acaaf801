import type { Directive } from './dockerfile.ts'

/** Which frontend reads the file, by its `# syntax=` line. */
export type DockerfileSyntax =
  /** Docker's own; the version is undefined where the builder's is used or the tag doesn't tell. */
  | { readonly kind: 'docker'; readonly version: readonly [major: number, minor: number | undefined] | undefined }
  /** Another frontend, or one that is pinned by digest alone. */
  | { readonly kind: 'foreign'; readonly reference: string; readonly line: number }

const OWN_REPOSITORIES = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?$/

/** Heredocs and `COPY --link` came with version 1.4 (Dockerfile frontend, release notes). */
export const FIRST_WITH_LINK = 4

/** Reads the `# syntax=` directive. */
export function dockerfileSyntax(directives: readonly Directive[]): DockerfileSyntax {
  const directive = directives.find(({ name }) => name === 'syntax')
  const reference = directive?.value.split(' ')[0]
  if (directive === undefined || reference === undefined) return { kind: 'docker', version: undefined }
  const [, repository = '', tag] = /^([^@]*?)(?::([^@:/]+))?(?:@.*)?$/.exec(reference) ?? []
  if (!OWN_REPOSITORIES.test(repository)) return { kind: 'foreign', reference, line: directive.line }
  if (tag === undefined && reference.includes('@')) return { kind: 'foreign', reference, line: directive.line }
  const [, major, minor] = /^v?(\d+)(?:\.(\d+))?/.exec(tag ?? '') ?? []
  if (major === undefined) return { kind: 'docker', version: undefined }
  return { kind: 'docker', version: [Number(major), minor === undefined ? undefined : Number(minor)] }
}

/** Whether heredocs and `COPY --link` can be written into the file; a sentence when not. */
export function oldSyntax(directives: readonly Directive[]): { sentence: string; line: number } | undefined {
  const syntax = dockerfileSyntax(directives)
  if (syntax.kind === 'foreign') {
    const sentence = `the file is read by ${syntax.reference}, which may not know heredocs and COPY --link`
    return { sentence, line: syntax.line }
  }
  const [major, minor] = syntax.version ?? [1, undefined]
  if (major > 1 || (major === 1 && (minor ?? FIRST_WITH_LINK) >= FIRST_WITH_LINK)) return undefined
  const line = directives.find(({ name }) => name === 'syntax')?.line ?? 1
  return { sentence: `# syntax names version ${major}.${minor ?? 0}; heredocs and COPY --link need 1.4 or newer`, line }
}
