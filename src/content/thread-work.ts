import * as crypto from 'node:crypto'
import * as fs from 'node:fs'
import { setImmediate as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

/** A piece of work for any thread: plain data. */
export interface ThreadJob {
  /** Bytes it goes through. A job that would hold up this thread for long is left to the others. */
  readonly bytes: number
}

/**
 * What is done with a job. It needs nothing but its parameters and globals: threads get it as text, because a bundle is
 * one file and a thread can't import from the middle of it.
 */
export type ThreadWork<Job, Answer> = (
  fs: typeof import('node:fs'),
  crypto: typeof import('node:crypto'),
  job: Job,
) => Answer

type Message<Answer> = { readonly answer: Answer } | { readonly trouble: string; readonly code?: string }

/** Jobs of more than this are never done on the main thread while there is another one. */
const LONG = 32 * 1024 * 1024
/** Jobs that a thread has in hand, so that it need not wait for the main thread between two. */
const AHEAD = 2

/**
 * Does jobs on several threads, of which this one is the first: the others take a while to start, and small work is done
 * by then. Between two jobs others get their turn.
 * @param jobs the largest first
 * @param threads how many work at a time, this one counted; 1 starts none
 * @returns the answers in the order of the jobs
 * @throws what the work throws, with its code; what `signal` was aborted with
 */
export async function workOnThreads<Job extends ThreadJob, Answer>(
  work: ThreadWork<Job, Answer>,
  jobs: readonly Job[],
  threads: number,
  signal: AbortSignal | undefined,
): Promise<readonly Answer[]> {
  const others = Math.min(threads, jobs.length) - ((jobs[0]?.bytes ?? 0) > LONG ? 0 : 1)
  if (threads < 2 || others < 1) return workHere(work, jobs, signal)
  const answers = new Map<number, Answer>()
  let [next, end] = [0, jobs.length]
  const take = (): number | undefined => (next < end ? next++ : undefined)
  const workers = Array.from({ length: others }, () => new Worker(programOf(work), { eval: true }))
  // From the end, where the small ones are.
  const takeHere = (): number | undefined => (next < end && (jobs[end - 1]?.bytes ?? 0) <= LONG ? --end : undefined)
  const stop = new AbortController()
  const stopped = AbortSignal.any([stop.signal, ...(signal === undefined ? [] : [signal])])
  try {
    await Promise.all([
      ...workers.map((worker) => feed(worker, jobs, take, answers, stopped)),
      (async () => {
        for (let index = takeHere(); index !== undefined; index = takeHere()) {
          stopped.throwIfAborted()
          const job = jobs[index]
          if (job !== undefined) answers.set(index, work(fs, crypto, job))
          await pause()
        }
      })(),
    ])
  } catch (error) {
    stop.abort()
    // What they still do must be over before the caller tidies up.
    await Promise.all(workers.map((worker) => worker.terminate()))
    throw error
  }
  for (const worker of workers) void worker.terminate()
  return jobs.flatMap((_, index) => {
    const answer = answers.get(index)
    return answer === undefined ? [] : [answer]
  })
}

async function workHere<Job, Answer>(
  work: ThreadWork<Job, Answer>,
  jobs: readonly Job[],
  signal: AbortSignal | undefined,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (const job of jobs) {
    signal?.throwIfAborted()
    answers.push(work(fs, crypto, job))
    if (answers.length < jobs.length) await pause()
  }
  return answers
}

/** Gives a worker one job after another until there are no more. */
function feed<Job, Answer>(
  worker: Worker,
  jobs: readonly Job[],
  take: () => number | undefined,
  answers: Map<number, Answer>,
  stopped: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const inHand: number[] = []
    const hand = (): void => {
      const index = take()
      if (index === undefined) return
      inHand.push(index)
      worker.postMessage(jobs[index])
    }
    const settle = (then: () => void): void => {
      worker.removeAllListeners('message').off('error', onError)
      stopped.removeEventListener('abort', onAbort)
      then()
    }
    const onError = (error: unknown): void => settle(() => reject(error))
    const onAbort = (): void => settle(() => reject(stopped.reason))
    worker.on('message', (message: Message<Answer>) => {
      const index = inHand.shift()
      if ('trouble' in message) {
        onError(Object.assign(new Error(message.trouble), { code: message.code }))
        return
      }
      if (index !== undefined) answers.set(index, message.answer)
      hand()
      if (inHand.length === 0) settle(resolve)
    })
    worker.on('error', onError)
    stopped.addEventListener('abort', onAbort)
    if (stopped.aborted) return onAbort()
    for (let at = 0; at < AHEAD; at += 1) hand()
    if (inHand.length === 0) settle(resolve)
  })
}

function programOf<Job, Answer>(work: ThreadWork<Job, Answer>): string {
  return `
const { parentPort } = require('node:worker_threads')
const fs = require('node:fs')
const crypto = require('node:crypto')
const work = ${work.toString()}
parentPort.on('message', (job) => {
  try {
    parentPort.postMessage({ answer: work(fs, crypto, job) })
  } catch (error) {
    parentPort.postMessage({ trouble: error.message, code: error.code })
  }
})
`
}
