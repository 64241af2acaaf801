import dockerignore, { type Ignore } from '@balena/dockerignore'

/** Whether a path of a build context is left out. */
export type Ignores = (path: string) => boolean

/** Reads the lines of a .dockerignore into a question about paths (relative, `/` between parts). */
export function readIgnorePatterns(text: string): Ignores {
  // The package is one CommonJS function, though its types describe an ES default export.
  const factory: unknown = dockerignore
  if (!isFactory(factory)) throw new TypeError('@balena/dockerignore is not a function any more')
  const ignore = factory({ ignorecase: false }).add(text)
  return (path) => ignore.ignores(path)
}

function isFactory(value: unknown): value is (options: { ignorecase: boolean }) => Ignore {
  return typeof value === 'function'
}
