import { randomBytes } from 'node:crypto'
import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { FOOTER_BYTES } from '../../src/stores/entry-codec.ts'
import { type EntrySeal, signedSeal } from '../../src/stores/entry-seal.ts'
import type { Save, Store, StoreKey } from '../../src/stores/store.ts'
import { storeKey, withValue } from '../../src/stores/store-key.ts'

/** A store with its surroundings, as the contract drives them. */
export interface StoreRig {
  readonly store: Store
  /** Empties the store and heals what was broken. */
  reset(): Promise<void>
  /** The same place, opened with a seal. */
  sealed(seal: EntrySeal): Store
  /** Saves at the same time from that many places that know nothing of each other. */
  saveFromElsewhere(key: StoreKey, bodies: readonly string[]): Promise<readonly Save[]>
  /** Changes bytes of the entry that the next fetch will meet. */
  damage(key: StoreKey, how: 'changed' | 'cut off'): Promise<void>
  /** Puts the store's medium out of reach. */
  takeDown(): Promise<void>
  /** Waits until the place's clock has moved on, so that the next entry is newer than the last. */
  tick?(): Promise<void>
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
    let folder: string
    /** A path where nothing is. */
    let to: string
    const tick = async (): Promise<void> => rig.tick?.()

    beforeAll(async () => {
      rig = await start()
      store = rig.store
    })
    beforeEach(async () => {
      await rig.reset()
      folder = await mkdtemp(join(tmpdir(), 'store-contract-'))
      to = join(folder, 'to')
    })
    afterEach(() => rm(folder, { recursive: true, force: true }))
    afterAll(() => rig.close())

    async function file(content: string | Uint8Array): Promise<string> {
      const path = join(folder, `from-${randomBytes(4).toString('hex')}`)
      await writeFile(path, content)
      return path
    }

    async function saveText(key: StoreKey, text: string, way: Way): Promise<Save> {
      return way === 'body' ? store.save(key, bytes(text)) : store.saveFile(key, await file(text))
    }

    describe('with bodies', () => {
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
        [
          'text that looks like the end of an entry',
          `image-cache-entry 2\nk-${a}\nsha256:${a}\n\n`.padEnd(FOOTER_BYTES),
        ],
        ['UTF-8', 'Größe: 12 µm, 画像'],
        ['zero bytes', '\0\0\0'],
      ])('brings back a body of %s', async (_, text) => {
        await store.save(`k-${a}`, bytes(text))
        expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes(text) })
      })

      test.each([FOOTER_BYTES - 1, FOOTER_BYTES, FOOTER_BYTES + 1, 65_536, 5_000_000])(
        'brings back a body of %i bytes',
        async (length) => {
          const body = new Uint8Array(randomBytes(length))
          expect(await store.save(`k-${a}`, body)).toEqual({ kind: 'saved' })
          const answer = await store.fetch(`k-${a}`)
          expect(answer.kind === 'hit' && Buffer.compare(answer.body, body)).toBe(0)
        },
      )

      test('serves calls that come all at once', async () => {
        const keys = [a, b].flatMap((digest) => [`k-${digest}-1`, `j-${digest}-1`])
        const saved = await Promise.all(keys.map((key) => store.save(key, bytes(key))))
        expect(saved.map(({ kind }) => kind)).toEqual(['saved', 'saved', 'saved', 'saved'])
        const fetched = await Promise.all(keys.map((key) => store.fetch(key)))
        expect(fetched).toEqual(keys.map((key) => ({ kind: 'hit', key, body: bytes(key) })))
      })

      test('is not misled by a change of the bytes that were given to it', async () => {
        const body = bytes('before')
        const saving = store.save(`k-${a}`, body)
        await saving
        body.fill(0)
        expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes('before') })
      })
    })

    describe('with files', () => {
      test('answers a miss, and makes no file, when nothing was saved', async () => {
        expect(await store.fetchFile(`k-${a}`, to)).toEqual({ kind: 'miss' })
        expect(await readdir(folder)).toEqual([])
      })

      test.each([0, 1, FOOTER_BYTES, 100_000, 5_000_000])('brings back a file of %i bytes', async (length) => {
        const content = randomBytes(length)
        expect(await store.saveFile(`k-${a}`, await file(content))).toEqual({ kind: 'saved' })
        expect(await store.fetchFile(`k-${a}`, to)).toEqual({
          kind: 'hit',
          key: `k-${a}`,
          bytes: length,
          digest: digestOf(content),
        })
        expect(Buffer.compare(await readFile(to), content)).toBe(0)
      })

      test('leaves the file that it was given as it was', async () => {
        const from = await file('content')
        await store.saveFile(`k-${a}`, from)
        expect(await readFile(from, 'utf8')).toBe('content')
      })

      test('gives each reader a file of its own, which may be changed', async () => {
        await store.saveFile(`k-${a}`, await file('content'))
        await store.fetchFile(`k-${a}`, to)
        await writeFile(to, 'changed')
        expect(await store.fetchFile(`k-${a}`, `${to}-2`)).toMatchObject({ kind: 'hit', bytes: 7 })
        expect(await readFile(`${to}-2`, 'utf8')).toBe('content')
      })

      test('keeps what it was given when the file changes afterwards', async () => {
        const from = await file('before')
        await store.saveFile(`k-${a}`, from)
        await writeFile(from, 'after')
        await store.fetchFile(`k-${a}`, to)
        expect(await readFile(to, 'utf8')).toBe('before')
      })

      test('never writes over a file', async () => {
        await store.saveFile(`k-${a}`, await file('content'))
        await writeFile(to, 'mine')
        expect(await store.fetchFile(`k-${a}`, to)).toMatchObject({ kind: 'unavailable' })
        expect(await readFile(to, 'utf8')).toBe('mine')
      })

      test('never writes through a link', async () => {
        await store.saveFile(`k-${a}`, await file('content'))
        await symlink(join(folder, 'elsewhere'), to)
        expect(await store.fetchFile(`k-${a}`, to)).toMatchObject({ kind: 'unavailable' })
        await expect(access(join(folder, 'elsewhere'))).rejects.toThrow()
      })

      test('is unavailable for a file that is not there', async () => {
        expect(await store.saveFile(`k-${a}`, join(folder, 'none'))).toMatchObject({ kind: 'unavailable' })
        expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'miss' })
      })

      test('is unavailable for a folder in place of a file', async () => {
        await mkdir(join(folder, 'inner'))
        expect(await store.saveFile(`k-${a}`, join(folder, 'inner'))).toMatchObject({ kind: 'unavailable' })
        expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'miss' })
      })

      test('is unavailable where the target has no folder', async () => {
        await store.saveFile(`k-${a}`, await file('content'))
        expect(await store.fetchFile(`k-${a}`, join(folder, 'none', 'to'))).toMatchObject({ kind: 'unavailable' })
      })

      test('serves files to several at once', async () => {
        const content = randomBytes(200_000)
        await store.saveFile(`k-${a}`, await file(content))
        const targets = [1, 2, 3, 4].map((index) => `${to}-${index}`)
        const answers = await Promise.all(targets.map((target) => store.fetchFile(`k-${a}`, target)))
        expect(answers.map(({ kind }) => kind)).toEqual(['hit', 'hit', 'hit', 'hit'])
        for (const target of targets) expect(Buffer.compare(await readFile(target), content)).toBe(0)
      })
    })

    test('brings back a file as a body, and a body as a file', async () => {
      await store.saveFile(`k-${a}`, await file('kept as a file'))
      await store.save(`k-${b}`, bytes('kept as a body'))
      expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes('kept as a file') })
      expect(await store.fetchFile(`k-${b}`, to)).toMatchObject({ kind: 'hit', key: `k-${b}` })
      expect(await readFile(to, 'utf8')).toBe('kept as a body')
    })

    describe.each(['body', 'file'] as const)('for an entry with a %s', (way) => {
      test('answers a prefix with the entry that was saved last, with its whole key', async () => {
        for (const suffix of ['2', '9', '1']) {
          await saveText(`k-${a}-${suffix}`, suffix, way)
          await tick()
        }
        for (const prefix of [`k-${a}`, `k-${a}-`]) {
          expect(await store.lookUp(prefix)).toEqual({ kind: 'hit', key: `k-${a}-1` })
          expect(await store.fetch(prefix)).toEqual({ kind: 'hit', key: `k-${a}-1`, body: bytes('1') })
        }
        expect(await store.fetchFile(`k-${a}`, to)).toMatchObject({ kind: 'hit', key: `k-${a}-1` })
        expect(await readFile(to, 'utf8')).toBe('1')
      })

      test('prefers the entry with exactly the key that was asked', async () => {
        await saveText(`k-${a}`, 'whole', way)
        await tick()
        await saveText(`k-${a}-1`, 'longer', way)
        expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes('whole') })
        expect(await store.fetchFile(`k-${a}`, to)).toMatchObject({ kind: 'hit', key: `k-${a}`, bytes: 5 })
      })

      test('does not answer with a key that only begins alike', async () => {
        await saveText(`k-${a}0-1`, 'neighbour', way)
        expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'miss' })
        expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'miss' })
        expect(await store.fetchFile(`k-${a}`, to)).toEqual({ kind: 'miss' })
      })

      test('never changes an entry: the second writer is told that it exists', async () => {
        await saveText(`k-${a}`, 'first', way)
        expect(await saveText(`k-${a}`, 'second', way)).toEqual({ kind: 'exists' })
        expect(await saveText(`k-${a}`, 'third', way === 'body' ? 'file' : 'body')).toEqual({ kind: 'exists' })
        expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes('first') })
      })

      test.each(['changed', 'cut off'] as const)('never brings back an entry that was %s', async (how) => {
        await saveText(`k-${a}`, 'precious '.repeat(500), way)
        await rig.damage(`k-${a}`, how)
        const answer = way === 'body' ? await store.fetch(`k-${a}`) : await store.fetchFile(`k-${a}`, to)
        expect(answer).toEqual({
          kind: expect.stringMatching(/miss|unavailable/),
          reason: expect.stringMatching(/\w{3}/),
        })
        await expect(access(to)).rejects.toThrow()
      })
    })

    describe('with keys as the product makes them', () => {
      const wide = storeKey('task', 'salt', 'name', 'content')

      test('finds by all parts, and by the first parts alone', async () => {
        const key = withValue(wide, 'g0.build')
        await store.save(key, bytes('x'))
        const prefixes = [
          key,
          wide,
          `${wide}-`,
          storeKey('task', 'salt', 'name'),
          `${storeKey('task', 'salt', 'name')}-`,
        ]
        for (const prefix of prefixes) expect(await store.lookUp(prefix)).toEqual({ kind: 'hit', key })
      })

      test.each([
        ['salt', storeKey('task', 'other', 'name', 'content')],
        ['kind', storeKey('lease', 'salt', 'name', 'content')],
        ['first part', storeKey('task', 'salt', 'other', 'content')],
        ['last part', storeKey('task', 'salt', 'name', 'other')],
      ])('finds nothing by another %s', async (_, other) => {
        await store.save(wide, bytes('x'))
        expect(await store.lookUp(other)).toEqual({ kind: 'miss' })
      })

      test('keeps apart two keys of 512 characters that differ in the last one', async () => {
        const long = `${'k'.repeat(446)}-${a}`
        await store.save(`${long}1`, bytes('one'))
        await tick()
        await store.save(`${long}2`, bytes('two'))
        expect(await store.fetch(`${long}1`)).toEqual({ kind: 'hit', key: `${long}1`, body: bytes('one') })
        expect(await store.fetch('k'.repeat(446))).toEqual({ kind: 'hit', key: `${long}2`, body: bytes('two') })
      })

      test('finds the newest of fifty', async () => {
        const keys = Array.from({ length: 50 }, (_, index) => `k-${a}-${index}`)
        for (const key of keys.slice(0, 49)) await store.save(key, bytes('x'))
        await tick()
        await store.save(`k-${a}-49`, bytes('last'))
        expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}-49`, body: bytes('last') })
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
        expect(await store.fetchFile(key, to)).toEqual(refusal)
        expect(await store.save(key, bytes('x'))).toEqual(refusal)
        expect(await store.saveFile(key, await file('x'))).toEqual(refusal)
      })
    })

    test('lets one of several writers at once win, and tells the others', async () => {
      const bodies = ['one', 'two', 'three']
      const answers = await rig.saveFromElsewhere(`k-${a}`, bodies)
      expect(answers.map(({ kind }) => kind).sort()).toEqual(['exists', 'exists', 'saved'])
      const winner = bodies[answers.findIndex(({ kind }) => kind === 'saved')] ?? ''
      expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes(winner) })
    })

    test('is unavailable, and says why, while its medium is out of reach', async () => {
      await store.save(`k-${a}`, bytes('x'))
      await rig.takeDown()
      const answers = [
        await store.lookUp(`k-${a}`),
        await store.fetch(`k-${a}`),
        await store.fetchFile(`k-${a}`, to),
        await store.save(`k-${b}`, bytes('y')),
        await store.saveFile(`k-${b}`, await file('y')),
      ]
      for (const answer of answers) {
        expect(answer).toEqual({ kind: 'unavailable', reason: expect.stringMatching(/\w{3}/) })
      }
      await expect(access(to)).rejects.toThrow()
    })

    describe('with signatures', () => {
      const [secret, main, pull] = ['a secret of this test', 'trusted/main', 'pull/7']
      const ofMain = signedSeal({ secret, writes: main, reads: [main] })
      const ofPull = signedSeal({ secret, writes: pull, reads: [pull, main] })

      test('brings back what was signed in a scope that is read', async () => {
        await rig.sealed(ofMain).save(`k-${a}`, bytes('x'))
        const reader = rig.sealed(ofPull)
        expect(await reader.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: bytes('x') })
        expect(await reader.fetchFile(`k-${a}`, to)).toMatchObject({ kind: 'hit', bytes: 1 })
      })

      test.each([
        ['without a signature', undefined, /not signed/],
        ['signed in a scope that is not read', ofPull, /pull\/7/],
        [
          'signed with another secret',
          signedSeal({ secret: 'another one', writes: main, reads: [main] }),
          /signature .* wrong/,
        ],
      ])('takes an entry %s for a miss, and says why', async (_, seal, reason) => {
        const writer = seal === undefined ? store : rig.sealed(seal)
        await writer.save(`k-${a}`, bytes('poison'))
        await writer.saveFile(`k-${b}`, await file('poison'))
        const reader = rig.sealed(ofMain)
        expect(await reader.fetch(`k-${a}`)).toEqual({ kind: 'miss', reason: expect.stringMatching(reason) })
        expect(await reader.fetchFile(`k-${b}`, to)).toEqual({ kind: 'miss', reason: expect.stringMatching(reason) })
        await expect(access(to)).rejects.toThrow()
      })
    })
  })
}

type Way = 'body' | 'file'

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
