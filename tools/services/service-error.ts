/** Something that the services need is missing or broke; the message is one sentence that ends with what to do about it. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
}

/** The error code of a failed system call (`ENOENT`, `EEXIST`, ...), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
