import type { Digest } from '../base/digest.ts'
import type { TaskOrigin } from './task-deps.ts'
import { type KeyPart, type PartKind, partDigest, wholeDigest } from './task-key.ts'

/** A part of an earlier key as it is remembered: enough of its digest to tell that it changed. */
export interface PastPart {
  readonly kind: PartKind
  readonly name: string
  readonly digest: string
  readonly shown?: string
}

/** The key of an earlier result and what it was made of. */
export interface PastKey {
  readonly key: Digest
  /** Milliseconds since 1970. */
  readonly madeAt: number
  readonly origin: TaskOrigin
  readonly parts: readonly PastPart[]
}

/** Digits of a digest that a history keeps: 48 bits tell parts of one name apart. */
const KEPT_DIGITS = 12
/** Of what isn't shown because it may be a secret: enough to see a change, too few to guess the value by. */
const KEPT_OF_SECRET = 3
/** Above so many files, a history keeps one digest for each folder. */
const MOST_FILES = 2000
const MOST_NAMED = 4

/** A key as later runs will compare theirs with it. */
export function pastKey(key: Digest, madeAt: number, origin: TaskOrigin, parts: readonly KeyPart[]): PastKey {
  return { key, madeAt, origin, parts: pastParts(parts) }
}

/**
 * Says in one sentence why there is no result for a key: which parts differ from the nearest earlier key, or that it
 * was there and is gone.
 * @param history newest first
 */
export function explainMiss(key: Digest, parts: readonly KeyPart[], history: readonly PastKey[]): string {
  if (history.length === 0) return 'no earlier result of this task'
  if (history.some((past) => past.key === key)) return 'a result of this key was there before and is gone: evicted'
  const current = pastParts(parts)
  const all = history.map((past) => differences(past.parts, current))
  const nearest = all.reduce((best, one) => (one.length < best.length ? one : best))
  if (nearest.length === 0) return 'something changed that the history does not tell'
  const more = nearest.length - MOST_NAMED
  return [...nearest.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}

/** What differs between two sets of parts, a phrase each: `input a.txt changed`, `env CUDA 12.4 -> 12.6`. */
export function differences(earlier: readonly PastPart[], later: readonly PastPart[]): readonly string[] {
  const [before, after] = [byLabel(earlier), byLabel(later)]
  const phrases: string[] = []
  for (const [label, part] of after) {
    const old = before.get(label)
    if (old === undefined) phrases.push(`${label} added`)
    else if (old.digest !== part.digest) phrases.push(changePhrase(label, old, part))
  }
  for (const label of before.keys()) if (!after.has(label)) phrases.push(`${label} removed`)
  return phrases.sort()
}

function changePhrase(label: string, old: PastPart, now: PastPart): string {
  if (old.shown === undefined || now.shown === undefined) return `${label} changed`
  return old.shown === now.shown ? `${label} changed` : `${label} ${old.shown} -> ${now.shown}`
}

function byLabel(parts: readonly PastPart[]): ReadonlyMap<string, PastPart> {
  return new Map(parts.map((part) => [part.name === '' ? wordOf(part.kind) : `${part.kind} ${part.name}`, part]))
}

function wordOf(kind: PartKind): string {
  if (kind === 'command') return 'the command'
  return kind === 'interface' ? 'the declared inputs or outputs' : kind
}

function pastParts(parts: readonly KeyPart[]): readonly PastPart[] {
  const files = parts.filter(({ kind }) => kind === 'input')
  const kept =
    files.length > MOST_FILES ? [...parts.filter(({ kind }) => kind !== 'input'), ...perFolder(files)] : parts
  return kept.map((part) => {
    const { kind, name, shown } = part
    const hidden = shown === undefined && (kind === 'env' || kind === 'cmd' || kind === 'value' || kind === 'argument')
    const hex = wholeDigest(part).slice(-(hidden ? KEPT_OF_SECRET : KEPT_DIGITS))
    return shown === undefined ? { kind, name, digest: hex } : { kind, name, digest: hex, shown }
  })
}

function perFolder(files: readonly KeyPart[]): readonly KeyPart[] {
  const folders = new Map<string, KeyPart[]>()
  for (const file of files) {
    const folder = `${file.name.slice(0, file.name.lastIndexOf('/') + 1)}*`
    const list = folders.get(folder)
    if (list === undefined) folders.set(folder, [file])
    else list.push(file)
  }
  return [...folders].map(([name, members]) => ({
    kind: 'input',
    name,
    digest: partDigest(members.map((file) => [file.name, file.digest, file.form])),
  }))
}
