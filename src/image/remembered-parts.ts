import { hash } from 'node:crypto'
import { type Digest, isDigest } from '../base/digest.ts'
import { isJsonRecord, parseJson } from '../base/json-value.ts'
import { type CompactFiles, closedAround, compactFiles, folderEntry, shortEntry } from './compact-files.ts'
import type { KeyPart } from './key-parts.ts'

/** What a content key was made of, small enough to be kept with every build. Values are hashed: they may be private. */
export interface RememberedParts {
  readonly key: Digest
  /** Milliseconds since 1970. */
  readonly at: number
  readonly parts: ReadonlyMap<string, string>
  readonly files: CompactFiles
}

/** A part that differs from the last build. */
export interface PartChange {
  readonly name: string
  readonly what: 'changed' | 'new' | 'gone'
  readonly isFile: boolean
}

const FORMAT = 1
/** Entries of files that are kept; about 50 kB of text. */
const MOST_FILES = 1500

/** @param files all entries of the context, sorted by path */
export function rememberedParts(
  key: Digest,
  at: number,
  parts: readonly KeyPart[],
  files: ReadonlyMap<string, string>,
): RememberedParts {
  const hashed = parts.map(({ name, value }): [string, string] => [name, shortHash(value)])
  return { key, at, parts: new Map(hashed), files: compactFiles(files, MOST_FILES) }
}

export function encodeParts({ key, at, parts, files }: RememberedParts): string {
  return JSON.stringify({ format: FORMAT, key, at, parts: Object.fromEntries(parts), files: Object.fromEntries(files) })
}

/** Reads what `encodeParts` wrote; undefined for anything else, as an entry of another version. */
export function decodeParts(text: string): RememberedParts | undefined {
  const value = parseJson(text)
  if (!isJsonRecord(value) || value.format !== FORMAT) return undefined
  const { key, at } = value
  const [parts, files] = [textMap(value.parts), textMap(value.files)]
  if (typeof key !== 'string' || !isDigest(key) || typeof at !== 'number' || parts === undefined) return undefined
  return files === undefined ? undefined : { key, at, parts, files }
}

/** What differs from an earlier key: files first, in the order of their paths; then the other parts. */
export function changedParts(
  before: RememberedParts,
  parts: readonly KeyPart[],
  files: ReadonlyMap<string, string>,
): readonly PartChange[] {
  const now = new Map(parts.map(({ name, value }) => [name, shortHash(value)]))
  return [
    ...withoutParents(differences(before.files, filesLike(before.files, files), true)),
    ...differences(before.parts, now, false),
  ]
}

/** The files of now, with the same folders closed as in an earlier list. */
function filesLike(before: CompactFiles, files: ReadonlyMap<string, string>): CompactFiles {
  const closed = new Set([...before.keys()].filter((name) => name.endsWith('/')))
  const compact = new Map<string, string>()
  const inside = new Map<string, string[]>([...closed].map((folder) => [folder, []]))
  for (const [path, value] of files) {
    const folder = closedAround(path, closed)
    if (folder === undefined) compact.set(path, shortEntry(value))
    else inside.get(folder)?.push(path, value)
  }
  for (const [folder, lines] of inside) if (lines.length > 0) compact.set(folder, folderEntry(lines))
  return compact
}

function differences(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  isFile: boolean,
): readonly PartChange[] {
  const names = [...new Set([...before.keys(), ...now.keys()])].sort()
  return names.flatMap((name): PartChange[] => {
    const [old, current] = [before.get(name), now.get(name)]
    if (old === current) return []
    return [{ name, what: old === undefined ? 'new' : current === undefined ? 'gone' : 'changed', isFile }]
  })
}

/** A new or gone folder is told by what is in it. */
function withoutParents(changes: readonly PartChange[]): readonly PartChange[] {
  const parents = new Set(changes.map(({ name }) => name.slice(0, Math.max(0, name.lastIndexOf('/')))))
  return changes.filter(({ name, what }) => what === 'changed' || !parents.has(name))
}

function shortHash(value: string): string {
  return hash('sha256', value, 'hex').slice(0, 12)
}

function textMap(value: unknown): ReadonlyMap<string, string> | undefined {
  if (!isJsonRecord(value)) return undefined
  const map = new Map<string, string>()
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== 'string') return undefined
    map.set(name, text)
  }
  return map
}
