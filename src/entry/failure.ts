import { codeOf, ImageCacheError } from '../base/errors.ts'
import type { Host } from '../host/host.ts'

/** An error as people see it: expected ones by code, sentence and hint, all others as a bug of ours. */
export interface Failure {
  readonly outcome: 'failed' | 'cancelled'
  readonly sentence: string
  readonly hint: string
  /** Stack of a bug; empty for an expected error. */
  readonly stack: string
}

const REPORT_BUGS = 'Please report it with these lines: https://github.com/org/image-cache-action/issues/new'

export function failureOf(error: unknown): Failure {
  if (error instanceof ImageCacheError) {
    return {
      outcome: error.code === 'E_CANCELLED' ? 'cancelled' : 'failed',
      sentence: `${error.code}: ${error.message}`,
      hint: `${error.hint ?? ''} See docs/errors/${error.code}.md.`.trim(),
      stack: '',
    }
  }
  if (codeOf(error) === 'ENOSPC') {
    return failureOf(
      new ImageCacheError('E_DISK_FULL', 'the disk of this runner is full', {
        hint: 'Free space on it, or give it a larger disk.',
        cause: error,
      }),
    )
  }
  const text = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  return { outcome: 'failed', sentence: `this is a bug of image-cache-action: ${text}`, hint: REPORT_BUGS, stack }
}

/** Shows a failure in a job: one annotation of sentence and hint; the stack of a bug in the log. */
export function showFailure({ sentence, hint, stack }: Failure, host: Host): void {
  host.error(hint === '' ? sentence : `${sentence}\n${hint}`)
  if (stack !== '') host.info(stack)
}
