import { describe, expect, test } from '@jest/globals'
import { type ThreadJob, type ThreadWork, workOnThreads } from '../../src/content/thread-work.ts'

interface Job extends ThreadJob {
  readonly number: number
}

const MIB = 1024 * 1024

function jobs(amount: number, bytes = 1): readonly Job[] {
  return Array.from({ length: amount }, (_, number) => ({ number, bytes }))
}

const double: ThreadWork<Job, number> = (_fs, _crypto, { number }) => number * 2

/** Tells which thread did it: only the first one belongs to no parent. */
const whereDone: ThreadWork<Job, boolean> = () => process.getBuiltinModule('node:worker_threads').isMainThread

describe('work on threads', () => {
  test.each([1, 2, 3, 8])('is done once for each job and answered in their order, on %d threads', async (threads) => {
    const answers = await workOnThreads(double, jobs(100), threads, undefined)
    expect(answers).toEqual(Array.from({ length: 100 }, (_, number) => number * 2))
  })

  test('is nothing without jobs', async () => {
    expect(await workOnThreads(double, [], 4, undefined)).toEqual([])
  })

  test('leaves jobs that take long to the other threads', async () => {
    const mixed = [...jobs(3, 100 * MIB), ...jobs(3)]
    const answers = await workOnThreads(whereDone, mixed, 2, undefined)
    expect(answers.slice(0, 3)).toEqual([false, false, false])
    expect(await workOnThreads(whereDone, jobs(1, 100 * MIB), 2, undefined)).toEqual([false])
  })

  test('does even those here when there is no other thread', async () => {
    expect(await workOnThreads(whereDone, jobs(2, 100 * MIB), 1, undefined)).toEqual([true, true])
  })

  const fails: ThreadWork<Job, number> = (_fs, _crypto, { number }) => {
    if (number === 40) throw Object.assign(new Error('job 40 is too much'), { code: 'EMUCH' })
    return number
  }

  test.each([1, 2, 4])('fails as a job does, with its code, on %d threads', async (threads) => {
    const work = workOnThreads(fails, jobs(80), threads, undefined)
    await expect(work).rejects.toMatchObject({ message: 'job 40 is too much', code: 'EMUCH' })
  })

  test.each([1, 3])('ends with what it was cancelled with, on %d threads', async (threads) => {
    const abort = new AbortController()
    const work = workOnThreads(double, jobs(10_000), threads, abort.signal)
    abort.abort(new Error('enough'))
    await expect(work).rejects.toThrow('enough')
  })
})
