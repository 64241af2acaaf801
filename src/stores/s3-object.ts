import type { StoreKey } from './store.ts'
import { answersPrefix } from './store-key.ts'

/** An entry as a bucket lists it. */
export interface S3Object {
  readonly key: StoreKey
  /** Milliseconds since 1970, by the service's clock; AWS gives whole seconds. */
  readonly created: number
  readonly size: number
}

/** Longest part of a path: services that keep objects as files allow 255 bytes. */
const PART = 200

/**
 * Where the entry of a key lies below the store's folder. The path of a prefix is the beginning of the paths of all keys
 * that it begins, so that a listing finds them; and no path is the folder of another one.
 */
export function objectPath(key: string): string {
  const parts = key.match(new RegExp(`.{1,${PART}}`, 'gs')) ?? ['']
  return parts.join('_/')
}

/** The key of the entry at a path. */
export function keyOfPath(path: string): StoreKey {
  return path.replaceAll('_/', '')
}

/** The object with exactly this key, else the newest that answers the prefix; of one moment the one with the last key. */
export function newestObject(objects: readonly S3Object[], prefix: string): S3Object | undefined {
  let newest: S3Object | undefined
  for (const object of objects) {
    if (object.key === prefix) return object
    if (answersPrefix(object.key, prefix) && (newest === undefined || isNewer(object, newest))) newest = object
  }
  return newest
}

function isNewer(a: S3Object, b: S3Object): boolean {
  return a.created === b.created ? a.key > b.key : a.created > b.created
}
