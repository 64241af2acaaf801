import type { Host } from '../host/host.ts'
import type { Store } from '../stores/store.ts'

/**
 * Loads what a run needs later anyway: the client of the cache, the runner's toolkit. To be called when a request has
 * gone out, so that it costs no time; does nothing the second time.
 */
export function loadAhead(host: Host, store: Store): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    void store.prepare?.()
    void host.ready?.()
  }
}
