import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import type { Digest } from '../base/digest.ts'
import type { Store } from '../stores/store.ts'
import { type LeaseEntry, type LeaseLog, openLeaseLog } from './lease-log.ts'

export interface LeaseOptions {
  readonly store: Store
  /** For what others read about the owner; no decision rests on it. */
  readonly clock: Clock
  /** Who computes, as others are to read it: the address of a run, or host and process. */
  readonly owner: string
  readonly signal: AbortSignal
  /** Seconds to wait for another owner before computing without sharing. */
  readonly waitLimit: number
  /** Seconds between two signs of life of an owner; after four of them without one it counts as dead. */
  readonly heartbeat: number
  /** Any text; another one makes all lease keys new. */
  readonly salt?: string
  /** Called once when somebody else computes. */
  readonly onWait?: (owner: string) => void
}

/**
 * `owned`: this process computes, saves, then lets go. `done`: the entry appeared while waiting. `unshared`: the time
 * limit is over or the store unavailable; compute without sharing.
 */
export type LeaseAnswer =
  | { readonly kind: 'owned'; readonly takenOver: boolean; release(): Promise<void> }
  | { readonly kind: 'done'; readonly waitedSeconds: number }
  | { readonly kind: 'unshared'; readonly reason: string }

/** The newest entry that was seen, and when: by this process's own monotonic clock, in milliseconds. */
interface Seen {
  readonly entry: LeaseEntry
  readonly at: number
}

/** Asking may fail now and then; after so many times in a row the store counts as unavailable. */
const MOST_FAILURES = 3
/** Polls begin at this part of a heartbeat and get rarer up to the other. */
const FIRST_POLL = 0.05
const LAST_POLL = 0.5

/**
 * Lets one of many processes, on any machines, compute what a key stands for while the others wait. A lease is a row of
 * immutable entries with rising numbers: whoever creates the next number owns it, each sign of life is a further one,
 * and the last one lets go. An owner is dead when, for as long as it announced, no new entry was seen by the waiter's
 * own clock; then all waiters try for the next number and the store lets exactly one of them win. No two clocks are
 * ever compared.
 * @param isDone asks whether the result is there; it must be true once the owner has let go of a success
 * @throws the signal's reason when it is aborted while waiting
 */
export async function acquireLease(
  key: Digest,
  isDone: () => Promise<boolean>,
  options: LeaseOptions,
): Promise<LeaseAnswer> {
  const log = openLeaseLog(key, options)
  const started = performance.now()
  let seen: Seen = { entry: { number: 0, kind: 'free' }, at: started }
  let failures = 0
  let hasTold = false
  for (let turn = 0; ; turn += 1) {
    options.signal.throwIfAborted()
    const newest = await log.newest(seen.entry)
    if (newest.kind === 'unavailable') {
      failures += 1
      if (failures === MOST_FAILURES || turn === 0) return unshared(newest.reason)
    } else {
      failures = 0
      if (newest.number > seen.entry.number) seen = { entry: newest, at: performance.now() }
      // Asked after the log: whoever has let go of a success had saved it before.
      if ((turn > 0 || seen.entry.number > 0) && (await isDone()))
        return { kind: 'done', waitedSeconds: secondsSince(started) }
      if (seen.entry.kind === 'free' || isDead(seen)) {
        const answer = await log.take(seen.entry.number + 1)
        if (answer.kind === 'saved') return own(log, seen.entry, options)
        if (answer.kind === 'unavailable') return unshared(answer.reason)
        // Somebody was faster; perhaps so recently that it can't be read yet.
        seen = { entry: log.unread(seen.entry.number + 1), at: performance.now() }
        continue
      }
    }
    if (!hasTold && seen.entry.kind === 'held') {
      hasTold = true
      options.onWait?.(seen.entry.owner)
    }
    const left = options.waitLimit - secondsSince(started)
    if (left <= 0) return unshared(`waited ${Math.round(options.waitLimit)} s for ${ownerOf(seen.entry)}`)
    await delay(Math.min(pollDelay(turn, options.heartbeat), left) * 1000, undefined, { signal: options.signal })
  }
}

/** Keeps the lease alive until it is let go of. */
function own(log: LeaseLog, before: LeaseEntry, options: LeaseOptions): LeaseAnswer {
  let number = before.number + 1
  const stop = new AbortController()
  const beats = (async () => {
    while (!stop.signal.aborted) {
      await delay(options.heartbeat * 1000, undefined, { signal: stop.signal, ref: false }).catch(() => undefined)
      if (stop.signal.aborted) return true
      const answer = await log.take(number + 1)
      // This process seemed dead to another one, which has taken over. What it computes is as good as that one's.
      if (answer.kind === 'exists') return false
      // A sign of life that can't be given is tried again: perhaps nobody waits.
      if (answer.kind === 'saved') number += 1
    }
    return true
  })()
  return {
    kind: 'owned',
    takenOver: before.kind === 'held',
    release: async () => {
      stop.abort()
      if (await beats) await log.letGo(number + 1)
    },
  }
}

function isDead({ entry, at }: Seen): boolean {
  return entry.kind === 'held' && secondsSince(at) > entry.expiry
}

/** Seconds until the next look: rarer each time, and never two waiters in step. */
function pollDelay(turn: number, heartbeat: number): number {
  const most = Math.min(FIRST_POLL * 1.5 ** turn, LAST_POLL) * heartbeat
  return most * (0.5 + Math.random() / 2)
}

function ownerOf(entry: LeaseEntry): string {
  return entry.kind === 'held' ? entry.owner : 'another run'
}

function unshared(reason: string): LeaseAnswer {
  return { kind: 'unshared', reason }
}

function secondsSince(milliseconds: number): number {
  return (performance.now() - milliseconds) / 1000
}
