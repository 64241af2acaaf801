/**
 * One of many processes that want the same results: `node lease-worker-main.ts <job>`, where the job is JSON. For each
 * key it computes the result if it gets the lease, and waits for it otherwise. What it computes it notes in a file, a
 * line at the beginning and one at the end; what was asked of it, on standard output.
 */
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { digestOf } from '../../src/base/digest.ts'
import { openStore } from '../../src/stores/open-store.ts'
import { storeKey } from '../../src/stores/store-key.ts'
import type { StoreSetting } from '../../src/stores/store-setting.ts'
import { acquireLease } from '../../src/task-cache/lease.ts'

export interface LeaseJob {
  readonly store: StoreSetting
  readonly folder: string
  readonly names: readonly string[]
  /** File that all workers note their computing in. */
  readonly notes: string
  /** File that appears when all may begin. */
  readonly gun: string
  readonly computeSeconds: number
  readonly heartbeat: number
}

const job: LeaseJob = JSON.parse(process.argv[2] ?? '')
const { store } = openStore({ kind: job.store, env: process.env, folder: job.folder })
// Loads what is loaded at the first call.
await store.lookUp('warm')
process.stdout.write('ready\n')
while (!existsSync(job.gun)) await delay(20)

for (const name of job.names) {
  const result = storeKey('result', '', name)
  const isDone = async (): Promise<boolean> => (await store.lookUp(result)).kind === 'hit'
  if (await isDone()) continue
  const lease = await acquireLease(digestOf(name), isDone, {
    store,
    clock: systemClock,
    owner: `process ${process.pid}`,
    signal: new AbortController().signal,
    waitLimit: 300,
    heartbeat: job.heartbeat,
  })
  process.stdout.write(`${name} ${lease.kind} ${lease.kind === 'unshared' ? lease.reason : ''}\n`)
  if (lease.kind === 'done') continue
  note('begin', name)
  await delay(job.computeSeconds * 1000)
  const saved = await store.save(result, Buffer.from(`made by ${process.pid}`))
  if (saved.kind === 'unavailable') throw new Error(`a result was lost: ${saved.reason}`)
  note('end', name)
  if (lease.kind === 'owned') await lease.release()
}
process.exit()

function note(what: 'begin' | 'end', name: string): void {
  appendFileSync(job.notes, `${what} ${name} ${process.pid}\n`)
}
