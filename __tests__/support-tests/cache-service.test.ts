import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { captureOutput } from '../../src/stores/captured-output.ts'
import { type CacheService, startCacheService } from '../support/cache-service.ts'

const version = '0'.repeat(64)
const otherVersion = '1'.repeat(64)

let service: CacheService

beforeAll(async () => {
  service = await startCacheService()
})
afterEach(() => service.reset())
afterAll(() => service.close())

type Reply = { readonly status: number; readonly body: Record<string, unknown> }

async function call(method: string, request: unknown, token = main()): Promise<Reply> {
  const response = await fetch(`${service.url}twirp/github.actions.results.api.v1.CacheService/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
  })
  return { status: response.status, body: JSON.parse(await response.text()) }
}

function main(): string {
  return tokenOf('refs/heads/main')
}

function tokenOf(scope: string, readOnly = false): string {
  return service.env({ scope, readOnly }).ACTIONS_RUNTIME_TOKEN ?? ''
}

function put(url: unknown, body: string, headers: Record<string, string> = { 'x-ms-blob-type': 'BlockBlob' }) {
  return fetch(String(url), { method: 'PUT', body, headers: { 'x-ms-version': '2025-01-05', ...headers } })
}

/** The three requests of a save. */
async function save(key: string, body = 'body', token = main(), ofVersion = version): Promise<Reply> {
  const created = await call('CreateCacheEntry', { key, version: ofVersion }, token)
  if (created.body.ok !== true) return created
  await put(created.body.signed_upload_url, body)
  const size = String(body.length)
  return call('FinalizeCacheEntryUpload', { key, version: ofVersion, size_bytes: size }, token)
}

async function find(
  key: string,
  restoreKeys: readonly string[] = [],
  token = main(),
  ofVersion = version,
): Promise<unknown> {
  const { body } = await call('GetCacheEntryDownloadURL', { key, restore_keys: restoreKeys, version: ofVersion }, token)
  return body.ok === true ? body.matched_key : undefined
}

describe('the emulated cache service', () => {
  test('answers a save and its download as the service does', async () => {
    expect(await save('k', 'content')).toMatchObject({ status: 200, body: { ok: true, entry_id: expect.any(String) } })
    const { body } = await call('GetCacheEntryDownloadURL', { key: 'k', version })
    expect(body).toEqual({ ok: true, matched_key: 'k', signed_download_url: expect.stringContaining('sig=') })
    expect(await (await fetch(String(body.signed_download_url))).text()).toBe('content')
    expect(service.counts()).toEqual({
      CreateCacheEntry: 1,
      FinalizeCacheEntryUpload: 1,
      GetCacheEntryDownloadURL: 1,
      upload: 1,
      download: 1,
    })
    expect(service.entries()).toMatchObject([{ scope: 'refs/heads/main', key: 'k', version, size: 7, finalized: true }])
  })

  test('refuses a key that is taken, in another case too, but not another version or scope of it', async () => {
    await save('k')
    const taken = { status: 409, body: { code: 'already_exists' } }
    expect(await save('k')).toMatchObject(taken)
    expect(await save('K')).toMatchObject(taken)
    expect(await save('k', 'body', main(), otherVersion)).toMatchObject({ status: 200 })
    expect(await save('k', 'body', tokenOf('refs/heads/feature'))).toMatchObject({ status: 200 })
  })

  test('blocks a key that was reserved and never finished, and does not find it', async () => {
    await call('CreateCacheEntry', { key: 'k', version })
    expect(await save('k')).toMatchObject({ status: 409 })
    expect(await find('k')).toBeUndefined()
  })

  test('finds the whole key before the newest that begins with it, and each key before the next', async () => {
    for (const key of ['a-1', 'a-3', 'a-2', 'a', 'b-1']) await save(key)
    expect(await find('a')).toBe('a')
    expect(await find('a-')).toBe('a-2')
    expect(await find('A-3')).toBe('a-3')
    expect(await find('none', ['x', 'b', 'a-'])).toBe('b-1')
    expect(await find('none')).toBeUndefined()
    expect(await find('a', [], main(), otherVersion)).toBeUndefined()
  })

  test('searches the own ref, then the default branch, and no other', async () => {
    await save('k-main')
    const feature = tokenOf('refs/heads/feature')
    expect(await find('k', [], feature)).toBe('k-main')
    await save('k-feature', 'body', feature)
    await save('k-newer')
    expect(await find('k', [], feature)).toBe('k-feature')
    expect(await find('k')).toBe('k-newer')
    expect(await find('k-feature', [], tokenOf('refs/heads/other'))).toBeUndefined()
  })

  test('denies a save to a token that may only read, and a look-up to one that may only write', async () => {
    await save('k')
    const reader = tokenOf('refs/heads/main', true)
    expect(await save('k-2', 'body', reader)).toEqual({
      status: 200,
      body: { ok: false, message: expect.stringMatching(/^cache write denied: /) },
    })
    expect(await find('k', [], reader)).toBe('k')
    const writer = service.token({ scopes: [{ scope: 'refs/heads/main', permission: 'write' }] })
    const denied = {
      status: 403,
      body: { code: 'permission_denied', msg: expect.stringMatching(/^cache read denied: /) },
    }
    expect(await call('GetCacheEntryDownloadURL', { key: 'k', version }, writer)).toEqual(denied)
  })

  test.each([
    ['no token', 'CreateCacheEntry', { key: 'k', version }, 'none', 401],
    ['an unknown field', 'CreateCacheEntry', { key: 'k', version, size: 1 }, undefined, 400],
    ['a key with a comma', 'CreateCacheEntry', { key: 'a,b', version }, undefined, 400],
    ['a key that is too long', 'CreateCacheEntry', { key: 'k'.repeat(513), version }, undefined, 400],
    ['a version that is no hash', 'CreateCacheEntry', { key: 'k', version: '1' }, undefined, 400],
    [
      'too many restore keys',
      'GetCacheEntryDownloadURL',
      { key: 'k', version, restore_keys: [...'0123456789'] },
      undefined,
      400,
    ],
    ['no reservation', 'FinalizeCacheEntryUpload', { key: 'k', version, size_bytes: '1' }, undefined, 404],
    ['a list', 'CreateCacheEntry', [], undefined, 400],
    ['an unknown method', 'DeleteCacheEntry', {}, undefined, 404],
  ])('refuses a request with %s', async (_, method, request, token, status) => {
    expect(await call(method, request, token)).toMatchObject({ status, body: { code: expect.any(String) } })
  })

  test('refuses a finalisation that does not fit the upload', async () => {
    const { body } = await call('CreateCacheEntry', { key: 'k', version })
    await put(body.signed_upload_url, 'four')
    const finalized = await call('FinalizeCacheEntryUpload', { key: 'k', version, size_bytes: '5' })
    expect(finalized.body).toMatchObject({ ok: false })
  })

  test('takes blocks in the order of their list, and serves ranges and heads', async () => {
    const { body } = await call('CreateCacheEntry', { key: 'k', version })
    const url = String(body.signed_upload_url)
    expect((await put(`${url}&comp=block&blockid=Mg==`, 'world', {})).status).toBe(201)
    expect((await put(`${url}&comp=block&blockid=MQ==`, 'hello ', {})).status).toBe(201)
    const list = '<?xml version="1.0"?><BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>'
    expect((await put(`${url}&comp=blocklist`, list, {})).status).toBe(201)
    await call('FinalizeCacheEntryUpload', { key: 'k', version, size_bytes: '11' })
    const found = await call('GetCacheEntryDownloadURL', { key: 'k', version })
    const download = String(found.body.signed_download_url)
    expect((await fetch(download, { method: 'HEAD' })).headers.get('content-length')).toBe('11')
    const part = await fetch(download, { headers: { 'x-ms-range': 'bytes=6-8' } })
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 6-8/11', 'wor'])
    expect((await fetch(download, { headers: { range: 'bytes=11-' } })).status).toBe(416)
  })

  test('refuses uploads without the signature, the blob type or the version, and unknown blocks', async () => {
    const { body } = await call('CreateCacheEntry', { key: 'k', version })
    const url = String(body.signed_upload_url)
    expect((await put(url.replace(/sig=.*/, 'sig=x'), 'x')).status).toBe(403)
    expect((await put(url, 'x', {})).status).toBe(400)
    expect((await fetch(url, { method: 'PUT', body: 'x', headers: { 'x-ms-blob-type': 'BlockBlob' } })).status).toBe(
      400,
    )
    expect((await put(`${url}&comp=blocklist`, '<BlockList><Latest>eA==</Latest></BlockList>', {})).status).toBe(400)
    expect((await fetch(url)).status).toBe(403)
  })

  test('fails as often as it was told to, each API for itself', async () => {
    service.failNext('CreateCacheEntry', 503)
    service.failNext('CreateCacheEntry', 'reset')
    service.failNext('GetCacheEntryDownloadURL', 429, 2)
    expect(await save('k')).toMatchObject({ status: 503 })
    await expect(save('k')).rejects.toThrow()
    expect(await save('k')).toMatchObject({ status: 200 })
    expect((await call('GetCacheEntryDownloadURL', { key: 'k', version })).status).toBe(429)
    expect((await call('GetCacheEntryDownloadURL', { key: 'k', version })).status).toBe(429)
    expect(await find('k')).toBe('k')
  })

  test('changes or cuts off a download', async () => {
    await save('k', 'some content')
    const { body } = await call('GetCacheEntryDownloadURL', { key: 'k', version })
    const download = async () => (await fetch(String(body.signed_download_url))).text()
    service.failNext('download', 'corrupt')
    expect(await download()).not.toBe('some content')
    service.failNext('download', 'cut-off')
    await expect(download()).rejects.toThrow()
    expect(await download()).toBe('some content')
  })

  test('does what it was asked when only the answer is lost', async () => {
    service.failNext('CreateCacheEntry', 'lost')
    await expect(save('k')).rejects.toThrow()
    expect(service.entries()).toMatchObject([{ key: 'k', finalized: false }])
  })

  test('serves the real client of GitHub', async () => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'cache-service-')))
    const before = { folder: process.cwd(), env: { ...process.env } }
    const { restoreCache, saveCache } = await import('@actions/cache')
    const run = <Result>(work: () => Promise<Result>) => captureOutput({ text: '' }, work)
    try {
      process.chdir(folder)
      Object.assign(process.env, service.env(), { GITHUB_WORKSPACE: folder, RUNNER_TEMP: folder })
      await mkdir('data')
      await writeFile('data/file', 'content')
      expect(await run(() => saveCache(['data'], 'k-1'))).toBeGreaterThan(0)
      expect(await run(() => saveCache(['data'], 'k-1'))).toBe(-1)
      await rm('data', { recursive: true })
      expect(await run(() => restoreCache(['data'], 'k-', []))).toBe('k-1')
      expect(await readFile('data/file', 'utf8')).toBe('content')
      expect(await run(() => restoreCache(['elsewhere'], 'k-', []))).toBeUndefined()
    } finally {
      process.chdir(before.folder)
      process.env = before.env
      await rm(folder, { recursive: true, force: true })
    }
  }, 30_000)
})
