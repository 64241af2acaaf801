/** A signal that is aborted when the job is cancelled: the runner sends SIGINT, then SIGTERM, then kills. */
export function cancellation(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(name))
  return controller.signal
}
