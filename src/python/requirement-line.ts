import { normalizeName } from './package-name.ts'

/** A package asked for by name, as one line of a requirements file or one word of an install command says it. */
export interface RequirementLine {
  /** File that holds the line, as the caller names it; empty for a word of a command. */
  readonly file: string
  /** First line of the entry, 1-based; 0 for a word of a command. */
  readonly line: number
  /** Normalised as PEP 503 says. */
  readonly name: string
  /** PEP 508 text in one spelling, without hashes and comments: what a resolver is given. */
  readonly text: string
  /** `sha256:…` as written with `--hash`; empty when the line pins none. */
  readonly hashes: readonly string[]
}

/** What kind of trouble an obstacle is; the same words as refusals of Dockerfile steps use. */
export type ObstacleCode = 'not-only-wheels' | 'unknown-option' | 'environment' | 'file-not-found'

/** Something in a requirements file that can't become a layer of wheels in this version. */
export interface Obstacle {
  readonly code: ObstacleCode
  readonly file: string
  readonly line: number
  readonly sentence: string
}

const NAMED = /^([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)\s*(\[[^\]]*\])?\s*([^;]*?)\s*(?:;\s*(.*))?$/i
const ONE_SPECIFIER = /^(?:===|==|~=|!=|<=|>=|<|>)\s*[a-z0-9.*+!_-]+$/i
const EXTRA = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i
const ARCHIVE = /\.(?:whl|zip|tar\.gz|tgz|tar\.bz2|tar\.xz)(?:[?#\s[;]|$)/i

/**
 * Reads one requirement (PEP 508), the text alone: no options, no comment.
 * @returns the sentence that says why not, when it isn't a package that an index serves by its name.
 */
export function readRequirement(
  text: string,
): { readonly name: string; readonly text: string } | { readonly sentence: string } {
  const trimmed = text.trim()
  if (/^(?:git|hg|bzr|svn)\+/i.test(trimmed) || /@\s*(?:git|hg|bzr|svn)\+/i.test(trimmed)) {
    return { sentence: `${quote(trimmed)} comes from version control, not as a wheel from an index` }
  }
  if (/:\/\//.test(trimmed) || /^[^;]*@\s*\S/.test(trimmed)) {
    return { sentence: `${quote(trimmed)} names a URL, not a wheel of an index` }
  }
  if (/^[./~\\]/.test(trimmed) || /^[^;]*[/\\]/.test(trimmed) || ARCHIVE.test(trimmed)) {
    return { sentence: `${quote(trimmed)} is a local path, not a wheel of an index` }
  }
  const [, name, extras, specifier, marker] = NAMED.exec(trimmed) ?? []
  const constraint = name === undefined ? undefined : readSpecifiers(specifier ?? '')
  const wanted = extras === undefined ? [] : readExtras(extras)
  if (name === undefined || constraint === undefined || wanted === undefined || marker === '') {
    return { sentence: `${quote(trimmed)} is no requirement that PEP 508 knows` }
  }
  const normal = normalizeName(name)
  const brackets = wanted.length === 0 ? '' : `[${wanted.join(',')}]`
  return { name: normal, text: `${normal}${brackets}${constraint}${marker === undefined ? '' : ` ; ${marker.trim()}`}` }
}

function readSpecifiers(text: string): string | undefined {
  const bare = text.startsWith('(') && text.endsWith(')') ? text.slice(1, -1) : text
  if (bare.trim() === '') return ''
  const parts = bare.split(',').map((part) => part.trim())
  if (parts.at(-1) === '') parts.pop()
  if (!parts.every((part) => ONE_SPECIFIER.test(part))) return undefined
  return parts.map((part) => part.replace(/\s+/g, '')).join(',')
}

function readExtras(brackets: string): readonly string[] | undefined {
  const inside = brackets.slice(1, -1).trim()
  const extras = inside === '' ? [] : inside.split(',').map((extra) => extra.trim())
  if (!extras.every((extra) => EXTRA.test(extra))) return undefined
  return [...new Set(extras.map(normalizeName))].sort()
}

function quote(text: string): string {
  // User and password of a URL must not reach a report.
  return JSON.stringify(text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1***@'))
}
