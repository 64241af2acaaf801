import { Worker } from 'node:worker_threads'
import { type HashJob, hashBatch } from './hash-batch.ts'

type Answer = { readonly hashes: string[] } | { readonly trouble: string; readonly code?: string }

/** What a thread runs. It is text, because a bundle is one file and a thread can't import from the middle of it. */
const PROGRAM = `
const { parentPort } = require('node:worker_threads')
const fs = require('node:fs')
const crypto = require('node:crypto')
const hashBatch = ${hashBatch.toString()}
parentPort.on('message', (job) => {
  try {
    parentPort.postMessage({ hashes: hashBatch(fs, crypto, job) })
  } catch (error) {
    parentPort.postMessage({ trouble: error.message, code: error.code })
  }
})
`

/**
 * Hashes on several threads; each takes the next job when it has done one. Answers the hashes of each job, in order.
 * @throws Error of the file system, or what `signal` was aborted with
 */
export async function hashOnThreads(
  jobs: readonly HashJob[],
  threads: number,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<HashJob, readonly string[]>> {
  const done = new Map<HashJob, readonly string[]>()
  const waiting = jobs.values()
  const workers = Array.from({ length: Math.min(threads, jobs.length) }, () => new Worker(PROGRAM, { eval: true }))
  const stop = new AbortController()
  const stopped = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])])
  try {
    await Promise.all(
      workers.map(async (worker) => {
        for (const job of waiting) done.set(job, await ask(worker, job, stopped))
      }),
    )
    return done
  } finally {
    stop.abort()
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

function ask(worker: Worker, job: HashJob, signal: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      worker.off('message', onMessage)
      worker.off('error', onError)
      signal.removeEventListener('abort', onAbort)
      then()
    }
    const onMessage = (answer: Answer): void =>
      settle(() => {
        if ('hashes' in answer) resolve(answer.hashes)
        else reject(Object.assign(new Error(answer.trouble), { code: answer.code }))
      })
    const onError = (error: unknown): void => settle(() => reject(error))
    const onAbort = (): void => settle(() => reject(signal.reason))
    if (signal.aborted) return reject(signal.reason)
    worker.on('message', onMessage)
    worker.on('error', onError)
    signal.addEventListener('abort', onAbort)
    worker.postMessage(job)
  })
}
