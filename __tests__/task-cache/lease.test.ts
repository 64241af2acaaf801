import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { LayeredStore } from '../../src/stores/layered-store.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { NoStore } from '../../src/stores/no-store.ts'
import type { Store } from '../../src/stores/store.ts'
import { acquireLease, type LeaseAnswer, type LeaseOptions } from '../../src/task-cache/lease.ts'
import { openLeaseLog } from '../../src/task-cache/lease-log.ts'

const key = digestOf('what is computed')
const result = 'result-1'

describe('a lease', () => {
  let folder: string
  let store: Store
  const isDone = async (): Promise<boolean> => (await store.lookUp(result)).kind === 'hit'

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lease-'))
    store = new LocalStore({ folder: join(folder, 'store') })
  })
  // An owner that was not let go of may still write its sign of life.
  afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }))

  function options(more: Partial<LeaseOptions> = {}): LeaseOptions {
    const signal = new AbortController().signal
    const clock = { now: () => 0 }
    return { store, clock, owner: 'this test', signal, waitLimit: 20, heartbeat: 0.1, ...more }
  }

  const acquire = (more: Partial<LeaseOptions> = {}): Promise<LeaseAnswer> => acquireLease(key, isDone, options(more))

  async function own(more: Partial<LeaseOptions> = {}): Promise<Extract<LeaseAnswer, { kind: 'owned' }>> {
    const answer = await acquire(more)
    if (answer.kind !== 'owned') throw new Error(`not owned but ${answer.kind}`)
    return answer
  }

  test('is had at once when nobody else wants it', async () => {
    expect(await own()).toMatchObject({ takenOver: false })
  })

  test('makes others wait for the result', async () => {
    const owner = await own()
    const told: string[] = []
    const waiting = acquire({ onWait: (name) => told.push(name) })
    await delay(300)
    await store.save(result, Buffer.from('x'))
    await owner.release()
    const answer = await waiting
    expect(answer).toMatchObject({ kind: 'done' })
    expect(answer.kind === 'done' && answer.waitedSeconds).toBeGreaterThan(0.2)
    expect(told).toEqual(['this test'])
  })

  test('goes to another one at once when its owner lets go without a result', async () => {
    const owner = await own()
    const waiting = own()
    await delay(100)
    await owner.release()
    expect(await waiting).toMatchObject({ kind: 'owned', takenOver: false })
  })

  test('is kept alive for as long as its owner lives', async () => {
    const owner = await own()
    expect(await acquire({ waitLimit: 1.2 })).toEqual({ kind: 'unshared', reason: 'waited 1 s for this test' })
    await owner.release()
  })

  test('of a dead owner is taken over by exactly one of many', async () => {
    await openLeaseLog(key, options({ owner: 'dead' })).take(1)
    const waiting = Array.from({ length: 8 }, () =>
      acquire({ store: new LocalStore({ folder: join(folder, 'store') }) }),
    )
    const first = await Promise.race(waiting)
    expect(first).toMatchObject({ kind: 'owned', takenOver: true })
    await store.save(result, Buffer.from('x'))
    if (first.kind === 'owned') await first.release()
    const answers = await Promise.all(waiting)
    expect(answers.map(({ kind }) => kind).toSorted()).toEqual([...Array(7).fill('done'), 'owned'])
  })

  test('goes to one of many that come at the same moment', async () => {
    const all = Array.from({ length: 8 }, () =>
      acquire({ store: new LocalStore({ folder: join(folder, 'store') }), waitLimit: 1 }),
    )
    const answers = await Promise.all(all)
    expect(answers.filter(({ kind }) => kind === 'owned')).toHaveLength(1)
    for (const answer of answers) if (answer.kind === 'owned') await answer.release()
  })

  test('is given up by an owner that seemed dead, and kept by the one that took over', async () => {
    const owner = await own()
    const log = openLeaseLog(key, options({ owner: 'another' }))
    // The other one gets in between two signs of life.
    await log.take(2)
    await delay(150)
    await owner.release()
    expect(await log.newest({ number: 0, kind: 'free' })).toMatchObject({ number: 2, kind: 'held', owner: 'another' })
  })

  test('can be had again after it was let go', async () => {
    for (const _ of [1, 2, 3]) await (await own()).release()
    expect(await own()).toMatchObject({ takenOver: false })
  })

  test.each([-1e12, 0, 4e12])('does not care for clocks: an owner that lives at %i', async (now) => {
    const owner = await own({ clock: { now: () => now } })
    expect(await acquire({ waitLimit: 0.7 })).toMatchObject({ kind: 'unshared' })
    await owner.release()
    expect(await own()).toMatchObject({ kind: 'owned' })
  })

  test.each([
    ['no JSON', 'x'],
    ['another form', '{"kind":"held"}'],
    ['an expiry that never ends', '{"kind":"held","owner":"x","expiry":null}'],
    ['a negative expiry', '{"kind":"held","owner":"x","expiry":-1}'],
  ])('with an entry of %s is waited for as long as for any other', async (_, body) => {
    const log = openLeaseLog(key, options())
    await log.take(1)
    for (const entry of await new LocalStore({ folder: join(folder, 'store') }).list()) {
      await new LocalStore({ folder: join(folder, 'store') }).remove(entry)
      await store.save(entry.key, Buffer.from(body))
    }
    const started = performance.now()
    expect(await own()).toMatchObject({ takenOver: true })
    expect(performance.now() - started).toBeGreaterThan(350)
  })

  test('may not ask others to wait for days', async () => {
    const log = openLeaseLog(key, options({ heartbeat: 1e6 }))
    await log.take(1)
    expect(await log.newest({ number: 0, kind: 'free' })).toMatchObject({ kind: 'held', expiry: 900 })
  })

  test('is not shared where there is no store', async () => {
    expect(await acquire({ store: new NoStore('switched off') })).toEqual({ kind: 'unshared', reason: 'switched off' })
  })

  test('is given up when the store goes away while waiting', async () => {
    await openLeaseLog(key, options({ heartbeat: 5 })).take(1)
    const waiting = acquire()
    await delay(100)
    await rm(join(folder, 'store'), { recursive: true })
    await writeFile(join(folder, 'store'), 'a file stands where the folder should be')
    expect(await waiting).toMatchObject({ kind: 'unshared', reason: expect.stringMatching(/ENOTDIR|EEXIST/) })
  })

  test('stops waiting when the run is cancelled', async () => {
    const owner = await own()
    const controller = new AbortController()
    const waiting = acquire({ signal: controller.signal })
    await delay(50)
    controller.abort(new Error('cancelled'))
    await expect(waiting).rejects.toThrow(/cancelled|aborted/)
    await owner.release()
  })

  test('hands over what was kept back before it is let go', async () => {
    const remote = new LocalStore({ folder: join(folder, 'remote') })
    const layered = new LayeredStore({ local: store, remote, tempDir: folder })
    const owner = await own({ store: layered })
    await layered.save(result, Buffer.from('x'))
    await owner.release()
    expect(await remote.lookUp(result)).toMatchObject({ kind: 'hit' })
  })

  test('of another salt is another one', async () => {
    const owner = await own()
    expect(await own({ salt: 'other' })).toMatchObject({ kind: 'owned' })
    await owner.release()
  })
})
