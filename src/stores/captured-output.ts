import { AsyncLocalStorage } from 'node:async_hooks'

/** What a captured operation printed while it ran. */
export interface CapturedOutput {
  text: string
}

const current = new AsyncLocalStorage<CapturedOutput>()
let running = 0
let restore: (() => void) | undefined

/**
 * Runs an operation of a library that prints to standard output, and keeps what it prints there: GitHub's cache client
 * tells only in its log lines why it failed, and our own output must stay clean. Only writes that the operation itself
 * made are kept, those of the rest of the program pass.
 */
export async function captureOutput<Result>(output: CapturedOutput, run: () => Promise<Result>): Promise<Result> {
  restore ??= divertStdout()
  running += 1
  try {
    return await current.run(output, run)
  } finally {
    running -= 1
    if (running === 0) {
      restore()
      restore = undefined
    }
  }
}

function divertStdout(): () => void {
  const { stdout } = process
  const original = stdout.write
  type Done = (error?: Error | null) => void
  stdout.write = (chunk: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done): boolean => {
    const output = current.getStore()
    if (output === undefined) return Reflect.apply(original, stdout, [chunk, encoding, done]) === true
    output.text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const finished = typeof encoding === 'function' ? encoding : done
    finished?.()
    return true
  }
  return () => {
    stdout.write = original
  }
}
