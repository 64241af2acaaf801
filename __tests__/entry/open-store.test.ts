import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openStore } from '../../src/entry/open-store.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('a store by its text keeps what it is given, and says what it has not', async () => {
  const store = openStore('local', { env: {}, folder })
  const key = `notes-${'a'.repeat(64)}`
  expect(await store.save(key, Buffer.from('one'))).toEqual({ kind: 'saved' })
  const found = await openStore('local', { env: {}, folder }).fetch('notes-')
  expect(found.kind === 'hit' ? Buffer.from(found.body).toString() : found).toBe('one')
  expect(await store.lookUp('other-')).toEqual({ kind: 'miss' })
})

test.each([
  ['auto', {}, 'local'],
  ['s3://bucket/prefix?endpoint=http://127.0.0.1:1', {}, 's3'],
  ['actions', {}, 'actions cache is not reachable'],
  ['off', {}, 'switched off'],
])('"%s" opens without a request', async (place, env, name) => {
  const store = openStore(place, { env: { HOME: folder, ...env } })
  if (name.includes(' ')) expect(await store.lookUp('x-')).toMatchObject({ kind: 'unavailable' })
  else expect(store.name).toBe(name)
})

test('a text that is no store is refused with what there is', () => {
  expect(() => openStore('redis://cache')).toThrow(/^store: "redis:\/\/cache" is not one of auto, actions, local/)
})
