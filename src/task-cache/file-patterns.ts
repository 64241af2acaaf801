import picomatch from 'picomatch'

/** Patterns of files, ready for use. */
export interface FilePatterns {
  /** Whether a path relative to the root is meant, itself or by a folder above it. */
  matches(path: string): boolean
  /** Whether all that lies in a folder is taken out, so that it need not be opened. */
  excludes(folder: string): boolean
  /** Folders and files to begin the search with; `''` is the root. */
  readonly bases: readonly string[]
  /** Whether all that lies in a folder is meant. */
  covers(folder: string): boolean
  /** Patterns that add files, each with its own question, to find those that name nothing. */
  readonly positives: readonly { readonly pattern: string; readonly matches: (path: string) => boolean }[]
}

/** Folders that are never part of a task: the history, and what this cache is busy with. */
const NEVER = /(^|\/)\.(git|hg|svn|image-cache)(\/|$)/

type Test = (path: string) => boolean

/**
 * Compiles patterns. A pattern is a path or a glob (`*`, `**`, `?`, `[a-z]`, `{a,b}`), names that begin with a dot
 * count; what names a folder stands for all that is in it. `!pattern` takes paths out, wherever it stands in the list.
 * @param patterns relative to the root, `/` between parts, checked by `patternProblem`
 */
export function compilePatterns(patterns: readonly string[]): FilePatterns {
  const wanted = patterns.filter((pattern) => !pattern.startsWith('!')).map(tidyPattern)
  const refused = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => tidyPattern(pattern.slice(1)))
  const positives = [...new Set(wanted)].map((pattern) => ({ pattern, matches: compileOne(pattern) }))
  const negatives = [...new Set(refused)].map(compileOne)
  const excludes: Test = (path) => NEVER.test(path) || negatives.some((test) => test(path))
  return {
    positives,
    excludes,
    matches: (path) => positives.some(({ matches }) => matches(path)) && !excludes(path),
    covers: (folder) => negatives.length === 0 && positives.some(({ matches }) => matches(folder)),
    bases: outermost(positives.map(({ pattern }) => baseOf(pattern))),
  }
}

/** What is wrong with a pattern of a task, as the end of a sentence; undefined when it is good. */
export function patternProblem(pattern: string): string | undefined {
  const path = pattern.replace(/^!/, '')
  if (path.trim() === '') return 'is empty'
  if (path.includes('\0')) return 'holds a NUL character'
  if (path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path)) return 'is absolute: paths are relative to the workspace'
  if (path.split(/[\\/]/).includes('..')) return 'leaves the workspace'
  return undefined
}

/** A pattern without `./`, doubled and closing slashes. `''` is the root itself. */
export function tidyPattern(pattern: string): string {
  const parts = pattern.split('/').filter((part) => part !== '' && part !== '.')
  return parts.join('/')
}

/** Whether a pattern is a path, without anything that stands for several names. */
export function isLiteral(pattern: string): boolean {
  return !picomatch.scan(pattern).isGlob
}

/**
 * The path that a pattern stands for with all that lies below it: its own where it has no glob, and that of the folder
 * in `folder/**`, by far the commonest glob. Undefined for other patterns.
 */
export function wholeOf(pattern: string): string | undefined {
  const path = tidyPattern(pattern).replace(/(?<=.)\/\*\*$/, '')
  return isLiteral(path) ? path : undefined
}

function compileOne(pattern: string): Test {
  if (pattern === '') return () => true
  const whole = wholeOf(pattern)
  const folder = `${whole ?? pattern}/`
  // A name such as `[id].ts` is also itself, not only a glob.
  const literal: Test = (path) => path === (whole ?? pattern) || path.startsWith(folder)
  if (whole !== undefined) return literal
  const glob = picomatch([pattern, `${pattern}/**`], { dot: true, nonegate: true })
  return (path) => literal(path) || glob(path)
}

function baseOf(pattern: string): string {
  if (isLiteral(pattern)) return pattern
  return tidyPattern(picomatch.scan(pattern).base)
}

/** Leaves out what lies in another one of the list. */
function outermost(paths: readonly string[]): readonly string[] {
  const sorted = [...new Set(paths)].sort()
  return sorted.filter(
    (path) => !sorted.some((other) => other !== path && (other === '' || path.startsWith(`${other}/`))),
  )
}
