import type { PendingSave } from '../deps.ts'
import type { Store, StoreKey } from '../stores/store.ts'

/** Name of the state that carries saves from the main step to the post step. */
export const SAVES_STATE = 'saves'

export function encodeSaves(saves: readonly PendingSave[]): string {
  return JSON.stringify(saves)
}

/** Reads what the main step left; anything else counts as nothing. */
export function decodeSaves(text: string): readonly PendingSave[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value.filter(isPendingSave) : []
  } catch {
    return []
  }
}

/** Saves entries one after another; answers a sentence for each that could not be kept. */
export async function saveAll(saves: readonly PendingSave[], store: Store): Promise<readonly string[]> {
  const troubles: string[] = []
  for (const { key, body } of saves) {
    const saved = await store.save(key, Buffer.from(body))
    if (saved.kind === 'unavailable') troubles.push(`a record was not kept: ${store.name} store: ${saved.reason}`)
  }
  troubles.push(...((await store.flush?.()) ?? []))
  return [...new Set(troubles)]
}

/** Name of the state that carries entries in the local layer of a store from the main step to the post step. */
export const PENDING_STATE = 'pending-entries'

/** Keys that the main step's store kept back; anything else counts as none. */
export function decodePending(text: string): readonly StoreKey[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value.filter((key) => typeof key === 'string') : []
  } catch {
    return []
  }
}

function isPendingSave(value: unknown): value is PendingSave {
  return (
    typeof value === 'object' &&
    value !== null &&
    'key' in value &&
    'body' in value &&
    typeof value.key === 'string' &&
    typeof value.body === 'string'
  )
}
