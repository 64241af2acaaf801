import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { LocalStore } from '../../src/stores/local-store.ts'
import { NoStore } from '../../src/stores/no-store.ts'
import { ScopedStore } from '../../src/stores/scoped-store.ts'

const key = `k-${'a'.repeat(64)}`
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))

describe('a store of several scopes', () => {
  let folder: string
  const scope = (name: string) => new LocalStore({ folder, scope: name })
  const pull = () => new ScopedStore({ writes: scope('pull/7'), reads: [scope('pull/7'), scope('trusted/main')] })
  const main = () => new ScopedStore({ writes: scope('trusted/main'), reads: [scope('trusted/main')] })

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scoped-store-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('reads what the trusted branch wrote', async () => {
    await main().save(key, text('main'))
    expect(await pull().fetch(key)).toMatchObject({ body: text('main') })
    expect(await pull().fetchFile(key, join(folder, 'to'))).toMatchObject({ kind: 'hit' })
    expect(await pull().lookUp(key)).toEqual({ kind: 'hit', key })
  })

  test('never shows the trusted branch what a pull request wrote first', async () => {
    await pull().save(key, text('poison'))
    expect(await main().fetch(key)).toEqual({ kind: 'miss' })
    expect(await main().lookUp(key)).toEqual({ kind: 'miss' })
    expect(await main().fetchFile(key, join(folder, 'to'))).toEqual({ kind: 'miss' })
    expect(await main().save(key, text('main'))).toEqual({ kind: 'saved' })
    expect(await main().fetch(key)).toMatchObject({ body: text('main') })
  })

  test('never shows one pull request what another one wrote', async () => {
    await pull().save(key, text('seven'))
    const other = new ScopedStore({ writes: scope('pull/8'), reads: [scope('pull/8'), scope('trusted/main')] })
    expect(await other.lookUp(key)).toEqual({ kind: 'miss' })
  })

  test('takes the nearest scope before the newest entry', async () => {
    await pull().save(`${key}-1`, text('own'))
    await main().save(`${key}-2`, text('main'))
    expect(await pull().lookUp(key)).toEqual({ kind: 'hit', key: `${key}-1` })
    expect(await pull().fetch(key)).toMatchObject({ body: text('own') })
  })

  test('writes nowhere, and says why, where it may only read', async () => {
    const reader = new ScopedStore({ writes: 'read-only: from a fork', reads: [scope('trusted/main')] })
    const refusal = { kind: 'unavailable', reason: 'read-only: from a fork' }
    expect(await reader.save(key, text('x'))).toEqual(refusal)
    expect(await reader.saveFile(key, '/nowhere')).toEqual(refusal)
  })

  test('does not call a miss what it could not ask everywhere', async () => {
    const half = new ScopedStore({ writes: 'no', reads: [scope('pull/7'), new NoStore('down')] })
    expect(await half.lookUp(key)).toEqual({ kind: 'unavailable', reason: 'down' })
    expect(await half.fetch(key)).toEqual({ kind: 'unavailable', reason: 'down' })
    await pull().save(key, text('x'))
    expect(await half.fetch(key)).toMatchObject({ kind: 'hit' })
  })
})
