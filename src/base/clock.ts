/** Time as a value that is handed in, so that plans and keys stay pure. */
export interface Clock {
  /** Wall clock in milliseconds since 1970. */
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
