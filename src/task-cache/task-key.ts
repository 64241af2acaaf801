import { type Digest, hexOf } from '../base/digest.ts'
import { type KeyValue, keyHash } from '../base/key-hash.ts'
import type { StoreKey } from '../stores/store.ts'
import { storeKey, withValue } from '../stores/store-key.ts'

/** Goes up when keys must not match those of earlier releases. */
export const TASK_KEY_FORMAT = 2

const PART_KINDS = [
  'input',
  'env',
  'cmd',
  'value',
  'argument',
  'command',
  'shell',
  'code',
  'function',
  'version',
  'policy',
  'interface',
  'working-directory',
  'platform',
] as const

/** What a part of a key is: the word before its name when a miss is explained. */
export type PartKind = (typeof PART_KINDS)[number]

export function isPartKind(text: string): text is PartKind {
  return PART_KINDS.some((kind) => kind === text)
}

/** One thing that a key depends on. */
export interface KeyPart {
  readonly kind: PartKind
  /** Path, variable, command: empty for what there is one of. */
  readonly name: string
  readonly digest: Digest
  /** Kind and mode of a file: the digest is that of its content. */
  readonly form?: string
  /** The value itself, where it is short and no secret. */
  readonly shown?: string
}

/** What tells the results of one task from those of others. */
export interface TaskSubject {
  readonly name: string
  readonly scope: string
  readonly salt: string
}

/** The digest of a part's value. Values of other kinds never have the same: texts, numbers and nothing differ. */
export function partDigest(value: KeyValue): Digest {
  return keyHash(value)
}

/** One digest of a part, be it a file with kind and mode or a value. */
export function wholeDigest({ digest, form }: Pick<KeyPart, 'digest' | 'form'>): Digest {
  return form === undefined ? digest : partDigest([form, digest])
}

/** The key of a task's result: a typed, length-prefixed hash of all parts, whatever their order. */
export function taskKey({ name, scope, salt }: TaskSubject, parts: readonly KeyPart[]): Digest {
  const sorted = [...parts].sort(byNames).map(({ kind, name: what, digest, form = '' }) => [kind, what, digest, form])
  return keyHash({ format: TASK_KEY_FORMAT, salt, scope, name, parts: sorted })
}

/** What the keys of all entries begin with that hold a task's result. */
export function entryPrefix({ name, scope, salt }: TaskSubject, key: Digest): StoreKey {
  return storeKey('task', salt, { scope, name }, hexOf(key))
}

/**
 * The store's key of a result. Entries are immutable, so a result that takes the place of another one is its next
 * generation, and two processes that make the same generation keep it once.
 */
export function entryKey(subject: TaskSubject, key: Digest, generation: number): StoreKey {
  return withValue(entryPrefix(subject, key), `g${generation}.${slugOf(subject.name)}`)
}

/** The generation in a result's key; undefined when it is no such key. */
export function generationOf(key: StoreKey): number | undefined {
  const [, digits] = /-g(\d{1,9})\.[a-z0-9_]*$/.exec(key) ?? []
  return digits === undefined ? undefined : Number(digits)
}

/** What the keys of a task's histories begin with: the parts of its latest keys, to explain a miss by. */
export function historyPrefix({ name, scope, salt }: TaskSubject): StoreKey {
  return storeKey('task-history', salt, { scope, name })
}

/**
 * The store's key of a history.
 * @param madeAt milliseconds since 1970
 * @param unique tells writers of the same millisecond apart: `[a-z0-9]`
 */
export function historyKey(subject: TaskSubject, madeAt: number, unique: string): StoreKey {
  return withValue(historyPrefix(subject), `h${Math.floor(madeAt).toString(36)}${unique}.${slugOf(subject.name)}`)
}

/** A task's name as it stands in keys, for people who look into a store. */
export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 60)
}

function byNames(a: KeyPart, b: KeyPart): number {
  return compare(a.kind, b.kind) || compare(a.name, b.name) || compare(a.digest, b.digest)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
