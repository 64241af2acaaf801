import { closeSync, readSync } from 'node:fs'
import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { EntryFolder } from '../../src/stores/entry-folder.ts'
import { signedSeal } from '../../src/stores/entry-seal.ts'
import { chooseSwept, LocalStore } from '../../src/stores/local-store.ts'
import type { OpenFile, StoreKey } from '../../src/stores/store.ts'
import { type StoreRig, storeContract } from '../contracts/store-contract.ts'

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
const HOUR = 3600

function fileOf(folder: string, key: StoreKey): string {
  return new EntryFolder(folder).pathOf(key)
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return all.filter((entry) => entry.isFile() && entry.name !== 'swept').map(({ name }) => name)
}

async function makeOlder(file: string, seconds: number): Promise<void> {
  const { mtimeMs } = await stat(file)
  const time = mtimeMs / 1000 - seconds
  await utimes(file, time, time)
}

storeContract('the local store', async (): Promise<StoreRig> => {
  const parent = await mkdtemp(join(tmpdir(), 'local-store-'))
  const folder = join(parent, 'store')
  return {
    store: new LocalStore({ folder }),
    sealed: (seal) => new LocalStore({ folder, seal }),
    reset: () => rm(folder, { recursive: true, force: true }),
    saveFromElsewhere: (key, bodies) =>
      Promise.all(bodies.map((body) => new LocalStore({ folder }).save(key, Buffer.from(body)))),
    damage: async (key, how) => {
      const file = fileOf(folder, key)
      const bytes = await readFile(file)
      if (how === 'cut off') await truncate(file, bytes.length - 10)
      else await writeFile(file, bytes.fill('x', 5, 10))
    },
    takeDown: async () => {
      await rm(folder, { recursive: true })
      await writeFile(folder, 'a file stands where the folder should be')
    },
    close: () => rm(parent, { recursive: true, force: true }),
  }
})

describe('the local store, as a folder', () => {
  let parent: string
  let folder: string

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'local-store-'))
    folder = join(parent, 'store')
  })
  beforeEach(() => rm(folder, { recursive: true, force: true }))
  afterAll(() => rm(parent, { recursive: true, force: true }))

  test('makes nothing before the first save', async () => {
    await new LocalStore({ folder }).lookUp(`k-${a}`)
    expect(await readdir(parent)).toEqual([])
  })

  test('leaves one file for each entry and nothing else, readable by its owner only', async () => {
    const store = new LocalStore({ folder })
    await writeFile(join(parent, 'from'), 'z', { mode: 0o644 })
    await store.save(`k-${a}`, Buffer.from('x'))
    await store.save(`k-${a}`, Buffer.from('y'))
    await store.saveFile(`k-${b}`, join(parent, 'from'))
    await rm(join(parent, 'from'))
    expect((await filesIn(folder)).toSorted()).toEqual([
      expect.stringMatching(new RegExp(`^k-${a}~[0-9a-f]{64}$`)),
      expect.stringMatching(new RegExp(`^k-${b}~[0-9a-f]{64}$`)),
    ])
    for (const key of [`k-${a}`, `k-${b}`]) expect((await stat(fileOf(folder, key))).mode & 0o777).toBe(0o600)
  })

  test('removes an entry that it found broken, so that it can be saved anew', async () => {
    const store = new LocalStore({ folder })
    await store.save(`k-${a}`, Buffer.from('x'))
    await truncate(fileOf(folder, `k-${a}`), 20)
    expect(await store.fetch(`k-${a}`)).toMatchObject({ kind: 'miss' })
    expect(await filesIn(folder)).toEqual([])
    expect(await store.save(`k-${a}`, Buffer.from('y'))).toEqual({ kind: 'saved' })
  })

  test('takes an entry under another name for a broken one', async () => {
    const store = new LocalStore({ folder })
    await store.save(`k-${a}`, Buffer.from('x'))
    await mkdir(dirname(fileOf(folder, `k-${b}`)), { recursive: true })
    await link(fileOf(folder, `k-${a}`), fileOf(folder, `k-${b}`))
    expect(await store.fetch(`k-${b}`)).toEqual({ kind: 'miss', reason: 'the entry was written under another key' })
  })

  test('puts entries in the order of their creation, also across two stores that save in turn', async () => {
    const stores = [new LocalStore({ folder }), new LocalStore({ folder })]
    for (let turn = 0; turn < 20; turn += 1) {
      await stores[turn % 2]?.save(`k-${a}-${turn}`, Buffer.from('x'))
      expect(await new LocalStore({ folder }).lookUp(`k-${a}-`)).toEqual({ kind: 'hit', key: `k-${a}-${turn}` })
    }
  })

  test('keeps the order of creation when older entries are used', async () => {
    const store = new LocalStore({ folder })
    for (const turn of [1, 2]) await store.save(`k-${a}-${turn}`, Buffer.from('x'))
    for (const turn of [1, 2]) await makeOlder(fileOf(folder, `k-${a}-${turn}`), 2 * HOUR)
    await store.fetch(`k-${a}-1`)
    expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}-2` })
  })

  test('lets the entries go that were longest not used when all together get too large', async () => {
    const store = new LocalStore({ folder, maxBytes: 12_000 })
    for (const turn of [1, 2]) await store.save(`k-${a}-${turn}`, Buffer.alloc(3000))
    for (const turn of [1, 2]) await makeOlder(fileOf(folder, `k-${a}-${turn}`), 2 * HOUR)
    await store.fetch(`k-${a}-1`)
    await store.save(`k-${a}-3`, Buffer.alloc(3000))
    expect((await store.list()).map(({ key }) => key).sort()).toEqual([`k-${a}-1`, `k-${a}-3`])
  })

  test('lets entries go that are too old, and temporary files that a broken process left', async () => {
    const store = new LocalStore({ folder, maxAgeSeconds: 10 * HOUR })
    await new LocalStore({ folder }).save(`k-${a}-old`, Buffer.from('x'))
    await makeOlder(fileOf(folder, `k-${a}-old`), 11 * HOUR)
    const shard = dirname(fileOf(folder, `k-${a}-old`))
    await writeFile(join(shard, '.fresh.tmp'), '')
    await writeFile(join(shard, '.old.tmp'), '')
    await makeOlder(join(shard, '.old.tmp'), 2 * HOUR)
    expect(await store.sweep()).toMatchObject({ entries: 1 })
    expect(await filesIn(folder)).toEqual(['.fresh.tmp'])
  })

  test('sweeps by itself once an hour, not in each process', async () => {
    const old = { folder, maxAgeSeconds: 10 * HOUR }
    await new LocalStore(old).save(`k-${a}-old`, Buffer.from('x'))
    await makeOlder(fileOf(folder, `k-${a}-old`), 11 * HOUR)
    await new LocalStore(old).save(`k-${a}-1`, Buffer.from('x'))
    expect(await filesIn(folder)).toHaveLength(2)
    await makeOlder(join(folder, 'swept'), 2 * HOUR)
    await new LocalStore(old).save(`k-${a}-2`, Buffer.from('x'))
    expect(await filesIn(folder)).toHaveLength(2)
    expect(await new LocalStore(old).lookUp(`k-${a}-old`)).toEqual({ kind: 'miss' })
  })

  test('keeps scopes apart, and sweeps them together', async () => {
    const main = new LocalStore({ folder, scope: 'trusted/main' })
    const pull = new LocalStore({ folder, scope: 'pull/77' })
    await main.save(`k-${a}`, Buffer.from('main'))
    await pull.save(`k-${b}`, Buffer.from('pull'))
    expect(await main.lookUp(`k-${b}`)).toEqual({ kind: 'miss' })
    expect(await pull.lookUp(`k-${a}`)).toEqual({ kind: 'miss' })
    expect((await main.list()).map(({ key }) => key).sort()).toEqual([`k-${a}`, `k-${b}`])
    await makeOlder(fileOf(join(folder, 'scopes', 'pull', '77'), `k-${b}`), 100 * 86_400)
    expect(await main.sweep()).toMatchObject({ entries: 1 })
    expect(await filesIn(folder)).toHaveLength(1)
  })

  test('finds one of 10,000 entries without looking at the others', async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `k-${String(index).padStart(64, '0')}-1`)
    const shards = new Set(keys.map((key) => dirname(fileOf(folder, key))))
    for (const shard of shards) await mkdir(shard, { recursive: true })
    for (const key of keys) await writeFile(fileOf(folder, key), '')
    const neighbours = await readdir(dirname(fileOf(folder, keys[4711] ?? '')))
    expect(neighbours.length).toBeLessThan(100)
    expect(await new LocalStore({ folder }).lookUp(`k-${String(4711).padStart(64, '0')}`)).toEqual({
      kind: 'hit',
      key: keys[4711],
    })
  })

  describe('opened where it lies', () => {
    async function contentOf(opened: OpenFile | undefined): Promise<string> {
      if (opened?.kind !== 'hit') throw new Error(JSON.stringify(opened))
      const buffer = Buffer.alloc(opened.bytes)
      readSync(opened.descriptor, buffer, 0, opened.bytes, 0)
      closeSync(opened.descriptor)
      return buffer.toString()
    }

    test('gives the newest entry, as any other way does', async () => {
      const store = new LocalStore({ folder })
      await store.save(`k-${a}-1`, Buffer.from('one'))
      await store.save(`k-${a}-2`, Buffer.from('two'))
      expect(await contentOf(await store.openFile?.(`k-${a}`))).toBe('two')
      expect(await store.openFile?.(`k-${b}`)).toEqual({ kind: 'miss' })
      expect(await store.openFile?.('K')).toMatchObject({ kind: 'unavailable' })
    })

    test('can be read to its end when it is swept meanwhile', async () => {
      const store = new LocalStore({ folder })
      await store.save(`k-${a}`, Buffer.from('still here'))
      const opened = await store.openFile?.(`k-${a}`)
      await makeOlder(fileOf(folder, `k-${a}`), 40 * 24 * HOUR)
      expect(await store.sweep()).toMatchObject({ entries: 1 })
      expect(await contentOf(opened)).toBe('still here')
    })

    test('is dropped when it is cut off or stands under another name', async () => {
      const store = new LocalStore({ folder })
      await store.save(`k-${a}`, Buffer.from('x'))
      await link(fileOf(folder, `k-${a}`), fileOf(folder, `k-${a}-other`))
      expect(await store.openFile?.(`k-${a}-other`)).toMatchObject({
        kind: 'miss',
        reason: expect.stringMatching(/another key/),
      })
      await truncate(fileOf(folder, `k-${a}`), 100)
      expect(await store.openFile?.(`k-${a}`)).toMatchObject({ kind: 'miss', reason: expect.stringMatching(/cut off/) })
      expect(await filesIn(folder)).toEqual([])
    })

    test('is not to be had where entries are signed: they are copied and compared first', () => {
      const seal = signedSeal({ secret: 'a secret of this test', writes: 'main', reads: ['main'] })
      expect(new LocalStore({ folder, seal }).openFile).toBeUndefined()
    })
  })

  test('is unavailable where no folder can be made', async () => {
    const store = new LocalStore({ folder: '/dev/null/store' })
    expect(await store.save(`k-${a}`, Buffer.from('x'))).toMatchObject({ kind: 'unavailable' })
  })
})

describe('what a sweep takes', () => {
  const entry = (key: string, age: number, size = 10, used = age) => {
    return { file: key, key, size, created: 1e9 - age, used: 1e9 - used }
  }

  test.each([
    ['nothing, when all is young and small', [entry('a', 5), entry('b', 1)], 100, 100, []],
    ['what is older than the limit', [entry('a', 101), entry('b', 99)], 100, 100, ['a']],
    ['not what was used since', [entry('a', 101, 10, 2), entry('b', 102)], 100, 100, ['b']],
    ['the longest unused until the rest fits', [entry('a', 9), entry('b', 3), entry('c', 6)], 100, 20, ['a']],
    [
      'leases after a day',
      [entry('image-cache-v1-lease-0-1', 90_000), entry('a', 90_000)],
      1e6,
      1e6,
      ['image-cache-v1-lease-0-1'],
    ],
  ])('%s', (_, entries, maxAge, maxBytes, gone) => {
    expect(chooseSwept(entries, 1e9, maxAge, maxBytes).map(({ key }) => key)).toEqual(gone)
  })
})
