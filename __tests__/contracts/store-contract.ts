import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Save, Store, StoreKey } from '../../src/stores/store.ts'

/** A store with its surroundings, as the contract drives them. */
export interface StoreRig {
  readonly store: Store
  /** Empties the store and heals what was broken. */
  reset(): Promise<void>
  /** Saves at the same time from that many places that know nothing of each other. */
  saveFromElsewhere(key: StoreKey, bodies: readonly string[]): Promise<readonly Save[]>
  /** Changes bytes of the entry that the next fetch will meet. */
  damage(key: StoreKey, how: 'changed' | 'cut off'): Promise<void>
  /** Puts the store's medium out of reach. */
  takeDown(): Promise<void>
  close(): Promise<void>
}

const a = 'a'.repeat(64)
const b = 'b'.repeat(64)

/** A store that knows of permissions. */
export interface PermissionRig extends StoreRig {
  /** The same store for someone who may only read. */
  readOnly(): Store
}

/** What every store promises, whatever it is made of. */
export function storeContract(name: string, start: () => Promise<StoreRig>): void {
  describe(`${name} keeps the contract of stores`, () => {
    let rig: StoreRig
    let store: Store

    beforeAll(async () => {
      rig = await start()
      store = rig.store
    })
    beforeEach(() => rig.reset())
    afterAll(() => rig.close())

    test('answers a miss when nothing was saved', async () => {
      expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'miss' })
      expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'miss' })
    })

    test('brings back what was saved, byte for byte', async () => {
      const body = Uint8Array.from({ length: 1024 }, (_, index) => index % 256)
      expect(await store.save(`k-${a}`, body)).toEqual({ kind: 'saved' })
      expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}` })
      expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body })
    })

    test.each([
      ['nothing at all', ''],
      ['line ends', '\r\n\n\r'],
      ['text that looks like an entry', `image-cache-entry 1\nsha256:${a}\nk-${a}\nx`],
    ])('brings back a body of %s', async (_, text) => {
      const body = new Uint8Array(Buffer.from(text))
      await store.save(`k-${a}`, body)
      expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body })
    })

    test('brings back a body of 5 MB', async () => {
      const body = new Uint8Array(randomBytes(5_000_000))
      expect(await store.save(`k-${a}`, body)).toEqual({ kind: 'saved' })
      const answer = await store.fetch(`k-${a}`)
      expect(answer.kind === 'hit' && Buffer.compare(answer.body, body)).toBe(0)
    })

    test('answers a prefix with the entry that was saved last, with its whole key', async () => {
      for (const suffix of ['2', '9', '1']) await store.save(`k-${a}-${suffix}`, bytes(suffix))
      for (const prefix of [`k-${a}`, `k-${a}-`]) {
        expect(await store.lookUp(prefix)).toEqual({ kind: 'hit', key: `k-${a}-1` })
        expect(await store.fetch(prefix)).toEqual({ kind: 'hit', key: `k-${a}-1`, body: bytes('1') })
      }
    })

    test('prefers the entry with exactly the key that was asked', async () => {
      await store.save(`k-${a}`, bytes('whole'))
      await store.save(`k-${a}-1`, bytes('longer'))
      expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes('whole') })
    })

    test('does not answer with a key that only begins alike', async () => {
      await store.save(`k-${a}0-1`, bytes('neighbour'))
      expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'miss' })
      expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'miss' })
    })

    test('keeps apart two keys of 512 characters that differ in the last one', async () => {
      const long = `${'k'.repeat(446)}-${a}`
      await store.save(`${long}1`, bytes('one'))
      await store.save(`${long}2`, bytes('two'))
      expect(await store.fetch(`${long}1`)).toEqual({ kind: 'hit', key: `${long}1`, body: bytes('one') })
      expect(await store.fetch('k'.repeat(446))).toEqual({ kind: 'hit', key: `${long}2`, body: bytes('two') })
    })

    test('never changes an entry: the second writer is told that it exists', async () => {
      await store.save(`k-${a}`, bytes('first'))
      expect(await store.save(`k-${a}`, bytes('second'))).toEqual({ kind: 'exists' })
      expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes('first') })
    })

    test('lets one of several writers at once win, and tells the others', async () => {
      const bodies = ['one', 'two', 'three']
      const answers = await rig.saveFromElsewhere(`k-${a}`, bodies)
      expect(answers.map(({ kind }) => kind).sort()).toEqual(['exists', 'exists', 'saved'])
      const winner = bodies[answers.findIndex(({ kind }) => kind === 'saved')] ?? ''
      expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes(winner) })
    })

    test('serves calls that come all at once', async () => {
      const keys = [a, b].flatMap((digest) => [`k-${digest}-1`, `j-${digest}-1`])
      const saved = await Promise.all(keys.map((key) => store.save(key, bytes(key))))
      expect(saved.map(({ kind }) => kind)).toEqual(['saved', 'saved', 'saved', 'saved'])
      const fetched = await Promise.all(keys.map((key) => store.fetch(key)))
      expect(fetched).toEqual(keys.map((key) => ({ kind: 'hit', key, body: bytes(key) })))
    })

    test.each(['changed', 'cut off'] as const)('never brings back an entry that was %s', async (how) => {
      await store.save(`k-${a}`, bytes('precious '.repeat(500)))
      await rig.damage(`k-${a}`, how)
      expect((await store.fetch(`k-${a}`)).kind).not.toBe('hit')
    })

    test('is unavailable, and says why, while its medium is out of reach', async () => {
      await store.save(`k-${a}`, bytes('x'))
      await rig.takeDown()
      const answers = [
        await store.lookUp(`k-${a}`),
        await store.fetch(`k-${a}`),
        await store.save(`k-${b}`, bytes('y')),
      ]
      for (const answer of answers) {
        expect(answer).toEqual({ kind: 'unavailable', reason: expect.stringMatching(/\w{3}/) })
      }
    })

    test.each([
      ['empty', ''],
      ['with a capital letter', 'K-1'],
      ['with a comma', 'a,b'],
      ['with a slash', '../a'],
      ['with a line end', 'a\nb'],
      ['of 513 characters', 'k'.repeat(513)],
    ])('refuses a key %s with a reason', async (_, key) => {
      const refusal = { kind: 'unavailable', reason: expect.stringMatching(/^the key /) }
      expect(await store.lookUp(key)).toEqual(refusal)
      expect(await store.fetch(key)).toEqual(refusal)
      expect(await store.save(key, bytes('x'))).toEqual(refusal)
    })
  })
}

/** What stores with permissions promise besides. */
export function permissionContract(name: string, start: () => Promise<PermissionRig>): void {
  describe(`${name} keeps the contract of stores with permissions`, () => {
    test('lets a reader read and not write', async () => {
      const rig = await start()
      const { store } = rig
      try {
        await store.save(`k-${a}`, bytes('x'))
        const reader = rig.readOnly()
        expect(await reader.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes('x') })
        expect(await reader.save(`k-${b}`, bytes('y'))).toMatchObject({ kind: 'unavailable' })
        expect(await store.lookUp(`k-${b}`)).toEqual({ kind: 'miss' })
      } finally {
        await rig.close()
      }
    })
  })
}

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text))
}
