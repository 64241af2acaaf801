import { inputError } from '../inputs/input-reader.ts'
import { openStore as chooseStore } from '../stores/open-store.ts'
import type { Store } from '../stores/store.ts'
import { parseStoreSetting } from '../stores/store-setting.ts'

/** Where a store finds its folder and its login. */
export interface StoreOptions {
  /** Variables with logins, limits, and what GitHub tells of the job; those of the process when not given. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Folder of the local store; `image-cache` in the user's cache folder when not given. */
  readonly folder?: string
  /** Milliseconds that one call of a remote store may take; 10,000 for S3 when not given. */
  readonly timeLimit?: number
}

/**
 * Opens a store by its text, as the input `store` takes it. Nothing is read, and no client is loaded, before the first
 * call. A store that can't be had is no error: each of its calls then answers `unavailable` with the reason.
 * @param place `auto`, `actions`, `local`, `off`, `s3://bucket/prefix?endpoint=…&region=…&path-style=true`,
 * `local+actions` or `local+s3://…`
 * @param options where it finds its folder and its login
 * @throws ImageCacheError E_INPUT when the text is none of these, or a variable that limits the local store can't be read
 */
export function openStore(place: string = 'auto', options: StoreOptions = {}): Store {
  const kind = parseStoreSetting(place)
  if (typeof kind === 'object' && 'wrong' in kind) {
    throw inputError([`store: ${JSON.stringify(place)} ${kind.wrong}`], 'Stores are described in docs/stores.md.')
  }
  return chooseStore({ env: process.env, ...options, kind }).store
}
