import { hexOf } from '../base/digest.ts'
import { keyHash } from '../base/key-hash.ts'
import type { Deps } from '../deps.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { answersPrefix, keyTime, withValue } from '../stores/store-key.ts'

/** Notes a text under a key. The newest note counts; the same text at the same moment is the same entry. */
export function saveNote(key: StoreKey, body: string, { clock, saveLater }: Pick<Deps, 'clock' | 'saveLater'>): void {
  saveLater({ key: withValue(key, `${keyTime(clock.now())}-${hexOf(keyHash(body))}`), body })
}

/** The newest note under a key; undefined where there is none or the store can't tell. */
export async function recallNote(key: StoreKey, store: Store): Promise<string | undefined> {
  const found = await store.fetch(key)
  if (found.kind !== 'hit' || !answersPrefix(found.key, key)) return undefined
  return Buffer.from(found.body).toString('utf8')
}
