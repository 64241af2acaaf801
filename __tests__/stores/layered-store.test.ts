import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { EntryFolder } from '../../src/stores/entry-folder.ts'
import { LayeredStore } from '../../src/stores/layered-store.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { NoStore } from '../../src/stores/no-store.ts'
import { storeContract } from '../contracts/store-contract.ts'

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))

storeContract('one folder in front of another', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'layered-store-'))
  const folder = (name: string): string => join(parent, name)
  const open = (seal?: ConstructorParameters<typeof LocalStore>[0]['seal']) => {
    const more = seal === undefined ? {} : { seal }
    const local = new LocalStore({ folder: folder('local'), ...more })
    return new LayeredStore({ local, remote: new LocalStore({ folder: folder('remote'), ...more }), tempDir: parent })
  }
  const reset = async (): Promise<void> => {
    for (const name of ['local', 'remote']) await rm(folder(name), { recursive: true, force: true })
  }
  return {
    store: open(),
    sealed: open,
    reset,
    saveFromElsewhere: (key, bodies) => Promise.all(bodies.map((body) => open().save(key, text(body)))),
    damage: async (key, how) => {
      const file = new EntryFolder(folder('local')).pathOf(key)
      if (how === 'cut off') await truncate(file, 10)
      else await writeFile(file, (await readFile(file)).fill('#', 5, 9))
    },
    takeDown: async () => {
      await reset()
      for (const name of ['local', 'remote']) await writeFile(folder(name), 'a file stands where the folder should be')
    },
    close: () => rm(parent, { recursive: true, force: true }),
  }
})

describe('a layered store', () => {
  let parent: string
  let local: LocalStore
  let remote: LocalStore
  let store: LayeredStore

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'layered-store-'))
    local = new LocalStore({ folder: join(parent, 'local') })
    remote = new LocalStore({ folder: join(parent, 'remote') })
    store = new LayeredStore({ local, remote, tempDir: parent })
  })
  afterEach(() => rm(parent, { recursive: true, force: true }))

  test('keeps here what it found there', async () => {
    await remote.save(`k-${a}`, text('x'))
    expect(await store.fetch(`k-${a}`)).toMatchObject({ kind: 'hit' })
    expect(await local.fetch(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}`, body: text('x') })
  })

  test('keeps files here, too', async () => {
    await remote.save(`k-${a}-1`, text('x'))
    expect(await store.fetchFile(`k-${a}`, join(parent, 'to'))).toMatchObject({ kind: 'hit', key: `k-${a}-1` })
    expect(await local.lookUp(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}-1` })
  })

  test('asks nobody for a whole key that is here', async () => {
    await local.save(`k-${a}`, text('x'))
    const alone = new LayeredStore({ local, remote: new NoStore('nobody must ask') })
    expect(await alone.lookUp(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}` })
    expect(await alone.fetch(`k-${a}`)).toMatchObject({ kind: 'hit' })
  })

  test('does not take an old entry here for the newest', async () => {
    await local.save(`k-${a}-1`, text('old'))
    await remote.save(`k-${a}-2`, text('new'))
    expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}-2` })
    expect(await store.fetch(`k-${a}`)).toMatchObject({ body: text('new') })
  })

  test('takes what is here when the other side has the same entry', async () => {
    await local.save(`k-${a}-1`, text('here'))
    await remote.save(`k-${a}-1`, text('there'))
    expect(await store.fetch(`k-${a}`)).toMatchObject({ body: text('here') })
  })

  test('lives on what is here while the other side is out of reach', async () => {
    await local.save(`k-${a}-1`, text('x'))
    const alone = new LayeredStore({ local, remote: new NoStore('down') })
    expect(await alone.fetch(`k-${a}`)).toMatchObject({ kind: 'hit' })
    expect(await alone.lookUp(`k-${b}`)).toEqual({ kind: 'unavailable', reason: 'down' })
  })

  test('gets an entry from there when the one here is broken', async () => {
    await local.save(`k-${a}`, text('x'))
    await remote.save(`k-${a}`, text('x'))
    await truncate(new EntryFolder(join(parent, 'local')).pathOf(`k-${a}`), 3)
    expect(await store.fetch(`k-${a}`)).toMatchObject({ kind: 'hit', body: text('x') })
    expect(await local.fetch(`k-${a}`)).toMatchObject({ kind: 'hit' })
  })

  test('hands over what was saved when it is told to, once, and says so until then', async () => {
    await writeFile(join(parent, 'from'), 'file')
    await store.save(`k-${a}`, text('body'))
    await store.saveFile(`k-${b}`, join(parent, 'from'))
    expect(store.pending).toEqual([`k-${a}`, `k-${b}`])
    expect(await remote.lookUp(`k-${a}`)).toEqual({ kind: 'miss' })
    expect(await store.flush()).toEqual([])
    expect(store.pending).toEqual([])
    expect(await remote.fetch(`k-${a}`)).toMatchObject({ body: text('body') })
    expect(await remote.fetch(`k-${b}`)).toMatchObject({ body: text('file') })
    expect((await readdir(parent)).toSorted()).toEqual(['from', 'local', 'remote'])
  })

  test('hands over in a later process what an earlier one kept', async () => {
    await store.save(`k-${a}`, text('x'))
    const later = new LayeredStore({ local, remote, pending: store.pending, tempDir: parent })
    expect(await later.flush()).toEqual([])
    expect(await remote.lookUp(`k-${a}`)).toMatchObject({ kind: 'hit' })
  })

  test('says what could not be handed over, once for each reason', async () => {
    const alone = new LayeredStore({ local, remote: new NoStore('down'), tempDir: parent })
    for (const key of [`k-${a}`, `k-${b}`]) await alone.save(key, text('x'))
    expect(await alone.flush()).toEqual(['an entry was not kept: off store: down'])
    expect(await alone.flush()).toEqual([])
  })

  test('says when an entry is gone before it could be handed over', async () => {
    await store.save(`k-${a}`, text('x'))
    for (const entry of await local.list()) await local.remove(entry)
    expect(await store.flush()).toEqual(['an entry was not kept: local store: it is no longer in the local store'])
  })

  test('saves there at once when nothing can be kept here', async () => {
    const there = new LayeredStore({ local: new NoStore('full'), remote, tempDir: parent })
    expect(await there.save(`k-${a}`, text('x'))).toEqual({ kind: 'saved' })
    expect(await remote.lookUp(`k-${a}`)).toMatchObject({ kind: 'hit' })
  })

  test('keeps leases where others see them', () => {
    expect(store.leases).toBe(remote)
  })
})
