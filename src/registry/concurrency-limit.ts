/** Runs a task as soon as a slot is free, first come, first served. */
export type ConcurrencyLimit = <T>(task: () => Promise<T>) => Promise<T>

/** Lets at most `slots` tasks run at the same time. */
export function concurrencyLimit(slots: number): ConcurrencyLimit {
  let running = 0
  const waiting: (() => void)[] = []
  return async (task) => {
    if (running < slots) running += 1
    else await new Promise<void>((start) => waiting.push(start))
    try {
      return await task()
    } finally {
      // The slot is handed on rather than freed, so that a newcomer can't slip in between.
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
