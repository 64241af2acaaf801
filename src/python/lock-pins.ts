import type { UnbuiltPackage } from './pylock.ts'
import type { RequirementLine } from './requirement-line.ts'

/** Which packages of a project's lock are wanted; group names and extras in any spelling. */
export interface LockSelection {
  /** Groups beside those that are installed anyway. */
  readonly with: readonly string[]
  readonly without: readonly string[]
  /** These groups and no others; undefined: those that are installed anyway, with the two lists above. */
  readonly only: readonly string[] | undefined
  readonly extras: readonly string[] | 'all'
}

/** The texts that a lock is read from. */
export interface LockTexts {
  readonly lock: string
  /** pyproject.toml, or Pipfile. */
  readonly project: string
  /** Whether the tool asks that the lock fits it. */
  readonly isChecked: boolean
}

/** A package that a lock wants on the target. */
export interface LockEntry {
  /** Normalised. */
  readonly name: string
  readonly version: string
  /** `sha256:…` of all its files. */
  readonly hashes: readonly string[]
  readonly source: LockSource
}

export type LockSource =
  | {
      readonly kind: 'index'
      /** Undefined: the default one. */
      readonly url: string | undefined
    }
  /** Built, or fetched from elsewhere. @see UnbuiltPackage */
  | { readonly kind: 'elsewhere'; readonly folder: string | undefined; readonly what: string }

/** What a lock says for one target, whatever its format: exact versions, whose wheels the index tells. */
export type LockPins =
  | {
      readonly kind: 'pins'
      /** `name==version` with its hashes, sorted by name. */
      readonly pins: readonly RequirementLine[]
      readonly unbuilt: readonly UnbuiltPackage[]
      /** Indexes that the lock names, the most used first; undefined stands for the default one. */
      readonly indexes: readonly (string | undefined)[]
    }
  | { readonly kind: 'failed'; readonly reason: string }

/** Brings what a lock's reader has found into the one shape. A version for each name, each with a hash, or it failed. */
export function pinEntries(entries: readonly LockEntry[]): LockPins {
  const pins = new Map<string, RequirementLine>()
  const unbuilt = new Map<string, UnbuiltPackage>()
  const uses = new Map<string | undefined, number>()
  for (const { name, version, hashes, source } of entries) {
    const text = `${name}==${version}`
    if (source.kind === 'elsewhere') {
      const reason = `${name} comes from ${source.what}, not as a wheel from an index`
      unbuilt.set(name, { name, folder: source.folder, reason })
      continue
    }
    const known = pins.get(name)
    if (known !== undefined && known.text !== text)
      return failedPins(`the lock holds ${name} twice for this platform: ${known.text} and ${text}`)
    if (hashes.length === 0) return failedPins(`${text} has no sha256 in the lock, so that its wheel can't be verified`)
    if (known === undefined) uses.set(source.url, (uses.get(source.url) ?? 0) + 1)
    pins.set(name, {
      file: '',
      line: 0,
      name,
      text,
      hashes: [...new Set([...(known?.hashes ?? []), ...hashes])].sort(),
    })
  }
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1)
  return {
    kind: 'pins',
    pins: [...pins.values()].sort(byName),
    unbuilt: [...unbuilt.values()].sort(byName),
    indexes: [...uses].sort((a, b) => b[1] - a[1] || (String(a[0]) < String(b[0]) ? -1 : 1)).map(([url]) => url),
  }
}

export function failedPins(reason: string): LockPins {
  return { kind: 'failed', reason }
}

/**
 * Where a package comes from, as pdm and pipenv note it.
 * @param remote the field that names a file elsewhere, and what such a file is for people
 */
export function entrySource(entry: Readonly<Record<string, unknown>>, remote: string, what: string): LockSource {
  const { path, git, hg, svn } = entry
  if (typeof path === 'string') return { kind: 'elsewhere', folder: path, what: 'a local folder' }
  if (git !== undefined || hg !== undefined || svn !== undefined)
    return { kind: 'elsewhere', folder: undefined, what: 'version control' }
  return entry[remote] === undefined
    ? { kind: 'index', url: undefined }
    : { kind: 'elsewhere', folder: undefined, what }
}

/** `sha256:…` in one spelling; undefined for any other hash. */
export function sha256Of(hash: unknown): string | undefined {
  return typeof hash === 'string' && /^sha256:[0-9a-f]{64}$/i.test(hash) ? hash.toLowerCase() : undefined
}
