/** Lets at most a number of tasks run at the same time, first come, first served. */
export interface ConcurrencyLimit {
  /** Waits for a free slot; the answer gives it back, once however often it is called. */
  acquire(): Promise<() => void>
  /** Runs a task in a slot. */
  run<T>(task: () => Promise<T>): Promise<T>
}

/** @param slots how many tasks may run at the same time */
export function concurrencyLimit(slots: number): ConcurrencyLimit {
  let running = 0
  const waiting: (() => void)[] = []

  function release(): void {
    // The slot is handed on rather than freed, so that a newcomer can't slip in between.
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }

  async function acquire(): Promise<() => void> {
    if (running < slots) running += 1
    else await new Promise<void>((start) => waiting.push(start))
    let held = true
    return () => {
      if (held) release()
      held = false
    }
  }

  return {
    acquire,
    async run(task) {
      const done = await acquire()
      try {
        return await task()
      } finally {
        done()
      }
    },
  }
}
