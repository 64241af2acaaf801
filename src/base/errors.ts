/** Every error that people can meet, one page each in docs/errors/. */
export type ErrorCode =
  | 'E_INPUT'
  | 'E_DOCKERFILE'
  | 'E_BUILDER'
  | 'E_BUILD'
  | 'E_CONTENT'
  | 'E_BASE_IMAGE'
  | 'E_CHECK'
  | 'E_REGISTRY'
  | 'E_REGISTRY_AUTH'
  | 'E_DISK_FULL'
  | 'E_TASK'
  | 'E_VERIFY'
  | 'E_PULLED'
  | 'E_CANCELLED'

/** What an error may say besides its sentence. */
export interface ErrorDetails {
  /** What the reader can do about it, one sentence. */
  readonly hint?: string
  readonly cause?: unknown
}

/** An error that people can act on; everything else that is thrown is a bug of ours. */
export class ImageCacheError extends Error {
  override readonly name = 'ImageCacheError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, sentence: string, details: ErrorDetails = {}) {
    super(sentence, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The code of an error of Node or of the system, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
