import { link, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { LocalStore } from '../../src/stores/local-store.ts'
import type { StoreKey } from '../../src/stores/store.ts'
import { type StoreRig, storeContract } from '../contracts/store-contract.ts'

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
const HOUR = 3600

async function fileOf(folder: string, key: StoreKey): Promise<string> {
  const name = (await readdir(folder)).find((file) => file.startsWith(`${key}~`))
  return join(folder, name ?? 'no such entry')
}

async function makeOlder(file: string, seconds: number): Promise<void> {
  const time = (await stat(file)).mtimeMs / 1000 - seconds
  await utimes(file, time, time)
}

storeContract('the local store', async (): Promise<StoreRig> => {
  const parent = await mkdtemp(join(tmpdir(), 'local-store-'))
  const folder = join(parent, 'store')
  return {
    store: new LocalStore({ folder }),
    reset: () => rm(folder, { recursive: true, force: true }),
    saveFromElsewhere: (key, bodies) =>
      Promise.all(bodies.map((body) => new LocalStore({ folder }).save(key, Buffer.from(body)))),
    damage: async (key, how) => {
      const file = await fileOf(folder, key)
      const bytes = await readFile(file)
      if (how === 'cut off') await truncate(file, bytes.length - 10)
      else await writeFile(file, bytes.fill('x', bytes.length - 10))
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
    await store.save(`k-${a}`, Buffer.from('x'))
    await store.save(`k-${a}`, Buffer.from('y'))
    const names = await readdir(folder)
    expect(names).toEqual([expect.stringMatching(new RegExp(`^k-${a}~[0-9a-f]{64}$`))])
    expect((await stat(join(folder, names[0] ?? ''))).mode & 0o777).toBe(0o600)
  })

  test('removes an entry that it found broken, so that it can be saved anew', async () => {
    const store = new LocalStore({ folder })
    await store.save(`k-${a}`, Buffer.from('x'))
    await truncate(await fileOf(folder, `k-${a}`), 20)
    expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'miss' })
    expect(await readdir(folder)).toEqual([])
    expect(await store.save(`k-${a}`, Buffer.from('y'))).toEqual({ kind: 'saved' })
  })

  test('takes an entry under another name for a broken one', async () => {
    const store = new LocalStore({ folder })
    await store.save(`k-${a}`, Buffer.from('x'))
    await link(await fileOf(folder, `k-${a}`), join(folder, `k-${b}~${b}`))
    expect(await store.fetch(`k-${b}`)).toEqual({ kind: 'miss' })
  })

  test('puts entries in the order of their creation, also across two stores that save in turn', async () => {
    const stores = [new LocalStore({ folder }), new LocalStore({ folder })]
    for (let turn = 0; turn < 20; turn += 1) {
      await stores[turn % 2]?.save(`k-${a}-${turn}`, Buffer.from('x'))
      expect(await new LocalStore({ folder }).lookUp(`k-${a}-`)).toEqual({ kind: 'hit', key: `k-${a}-${turn}` })
    }
  })

  test('lets the oldest entries go when all together get too large', async () => {
    const store = new LocalStore({ folder, maxBytes: 10_000 })
    for (const turn of [1, 2, 3, 4, 5]) await store.save(`k-${a}-${turn}`, Buffer.alloc(4000))
    const left = (await readdir(folder)).map((name) => name.slice(0, name.indexOf('~'))).sort()
    expect(left).toEqual([`k-${a}-4`, `k-${a}-5`])
  })

  test('lets entries go that are too old, and temporary files that a broken process left', async () => {
    const store = new LocalStore({ folder, maxAgeSeconds: 10 * HOUR })
    await mkdir(folder)
    await writeFile(join(folder, '.fresh.tmp'), '')
    await writeFile(join(folder, '.old.tmp'), '')
    await makeOlder(join(folder, '.old.tmp'), 2 * HOUR)
    await new LocalStore({ folder }).save(`k-${a}-old`, Buffer.from('x'))
    await makeOlder(await fileOf(folder, `k-${a}-old`), 11 * HOUR)
    await store.save(`k-${a}-new`, Buffer.from('x'))
    const names = await readdir(folder)
    expect(names.sort()).toEqual(['.fresh.tmp', expect.stringMatching(`^k-${a}-new~`)])
  })

  test('is unavailable where no folder can be made', async () => {
    const store = new LocalStore({ folder: '/dev/null/store' })
    expect(await store.save(`k-${a}`, Buffer.from('x'))).toMatchObject({ kind: 'unavailable' })
  })
})
