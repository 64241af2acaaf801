/** How long something may take, as a signal that ends it. */
export interface TimeLimit {
  readonly signal: AbortSignal
  /** Something moved: time without progress starts anew. */
  readonly progress: () => void
  /** To be called at the end, so that no timer is left. */
  readonly clear: () => void
}

/**
 * @param milliseconds for the whole, or (`idle`) without progress; the signal's reason is then a TimeoutError
 * @param cancel ends it as well, with its own reason
 */
export function timeLimit(milliseconds: number, kind: 'whole' | 'idle', cancel: AbortSignal | undefined): TimeLimit {
  const timeout = new AbortController()
  const timer = setTimeout(() => {
    timeout.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
  }, milliseconds)
  const signal = cancel === undefined ? timeout.signal : AbortSignal.any([cancel, timeout.signal])
  return {
    signal,
    progress: () => {
      if (kind === 'idle') timer.refresh()
    },
    clear: () => clearTimeout(timer),
  }
}
