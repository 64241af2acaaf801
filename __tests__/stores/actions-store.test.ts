import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { ActionsStore, type ActionsStoreOptions, ENTRY_FILE } from '../../src/stores/actions-store.ts'
import { captureOutput } from '../../src/stores/captured-output.ts'
import { encodeEntry } from '../../src/stores/entry-codec.ts'
import type { Save, Store } from '../../src/stores/store.ts'
import { type PermissionRig, permissionContract, storeContract } from '../contracts/store-contract.ts'
import { type FaultRig, storeFaultContract } from '../contracts/store-fault-contract.ts'
import { type CacheService, type CacheServiceEnv, startCacheService } from '../support/cache-service.ts'

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
// Real processes on a busy machine take their time.
jest.setTimeout(30_000)

const saver = join(import.meta.dirname, '..', 'support', 'cache-service-save-main.ts')

/** The place of a job: the process stands in its workspace, with the runner's environment. */
class Job {
  readonly service: CacheService
  readonly folder: string
  readonly #before = { folder: process.cwd(), env: { ...process.env } }

  constructor(service: CacheService, folder: string) {
    this.service = service
    this.folder = folder
  }

  static async start(): Promise<Job> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'actions-store-')))
    await Promise.all(['workspace', 'temp'].map((name) => mkdir(join(folder, name))))
    const job = new Job(await startCacheService(), folder)
    process.chdir(job.workspace)
    job.enter()
    return job
  }

  get workspace(): string {
    return join(this.folder, 'workspace')
  }

  env(workspace: string, options?: CacheServiceEnv): Record<string, string> {
    return { ...this.service.env(options), GITHUB_WORKSPACE: workspace, RUNNER_TEMP: join(this.folder, 'temp') }
  }

  /** The client takes address and token from the environment. */
  enter(options?: CacheServiceEnv, more: Partial<ActionsStoreOptions> = {}): Store {
    Object.assign(process.env, this.env(this.workspace, options))
    const token = process.env.ACTIONS_RUNTIME_TOKEN ?? ''
    return new ActionsStore({ workspace: this.workspace, cacheMode: '', token, ...more })
  }

  async saveElsewhere(key: string, body: string, index: number): Promise<Save> {
    const workspace = join(this.folder, `workspace-${index}`)
    await mkdir(workspace, { recursive: true })
    const options = { cwd: workspace, env: { ...process.env, ...this.env(workspace) } }
    const { stdout } = await promisify(execFile)(process.execPath, [saver, key, body], options)
    return JSON.parse(stdout)
  }

  async close(): Promise<void> {
    process.chdir(this.#before.folder)
    process.env = this.#before.env
    await this.service.close()
    await rm(this.folder, { recursive: true, force: true })
  }
}

async function startRig(): Promise<PermissionRig> {
  const job = await Job.start()
  return {
    store: job.enter(),
    sealed: (seal) => job.enter({}, { seal }),
    reset: async () => {
      job.service.reset()
      job.enter()
    },
    saveFromElsewhere: (key, bodies) => Promise.all(bodies.map((body, index) => job.saveElsewhere(key, body, index))),
    damage: async (_, how) => job.service.failNext('download', how === 'changed' ? 'corrupt' : 'cut-off', 10),
    takeDown: async () => {
      // A port that nobody listens on.
      process.env.ACTIONS_RESULTS_URL = 'http://127.0.0.1:1/'
    },
    readOnly: () => job.enter({ readOnly: true }),
    close: () => job.close(),
  }
}

storeContract('the store of GitHub Actions', startRig)
permissionContract('the store of GitHub Actions', startRig)

storeFaultContract('the store of GitHub Actions', async (): Promise<FaultRig> => {
  const job = await Job.start()
  const { service } = job
  return {
    open: () => job.enter({}, { timeLimit: 1000, fileTimeLimit: 1000 }),
    fail: (call, fault) => {
      const api = call === 'ask' ? 'GetCacheEntryDownloadURL' : call === 'download' ? call : 'CreateCacheEntry'
      service.failNext(api, fault, 100)
    },
    close: () => job.close(),
  }
})

describe('the store of GitHub Actions', () => {
  let job: Job
  let store: Store

  beforeAll(async () => {
    job = await Job.start()
  })
  beforeEach(() => {
    job.service.reset()
    store = job.enter()
  })
  afterAll(() => job.close())

  const requests = () => Object.values(job.service.counts()).reduce((sum, count) => sum + count, 0)

  test('looks up in one request, hit or miss', async () => {
    await store.save(`k-${a}-1`, Buffer.from('x'))
    const before = requests()
    expect(await store.lookUp(`k-${a}`)).toMatchObject({ kind: 'hit' })
    expect(requests() - before).toBe(1)
    expect(await store.lookUp(`k-${b}`)).toEqual({ kind: 'miss' })
    expect(requests() - before).toBe(2)
  })

  test('saves in three requests and fetches in two', async () => {
    await store.save(`k-${a}`, Buffer.from('x'))
    expect(requests()).toBe(3)
    await store.fetch(`k-${a}`)
    expect(requests()).toBe(5)
  })

  test('brings back a file in two requests, and finds out in one that there is none', async () => {
    const from = join(job.folder, 'from')
    const to = join(job.folder, 'to')
    await writeFile(from, 'content')
    await store.saveFile(`k-${a}`, from)
    expect(requests()).toBe(3)
    expect(await store.fetchFile(`k-${a}`, to)).toMatchObject({ kind: 'hit', bytes: 7 })
    expect(requests()).toBe(5)
    expect(await store.fetchFile(`k-${b}`, `${to}-2`)).toEqual({ kind: 'miss' })
    expect(requests()).toBe(6)
    expect(await readdir(job.workspace)).toEqual([])
    await rm(to)
  })

  test('saves a lease while a file is on its way', async () => {
    const from = join(job.folder, 'from')
    await writeFile(from, 'content')
    const patient = job.enter({}, { fileTimeLimit: 3000 })
    job.service.failNext('CreateCacheEntry', 'hang')
    const saving = patient.saveFile(`k-${a}`, from)
    while (job.service.counts().CreateCacheEntry === 0) await delay(10)
    expect(await patient.leases?.save(`lease-${a}-1`, Buffer.from('x'))).toEqual({ kind: 'saved' })
    expect(await patient.leases?.fetch(`lease-${a}`)).toMatchObject({ kind: 'hit' })
    expect(await saving).toMatchObject({ kind: 'unavailable' })
  })

  test('leaves nothing in the workspace and prints nothing', async () => {
    const script = `
      import { openStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/stores/open-store.ts'))}
      const { store } = openStore({ kind: 'actions', env: process.env })
      await store.save('k-1', Buffer.from('x'))
      const answers = [await store.fetch('k-1'), await store.fetch('k-2'), await store.save('k-1', Buffer.from('y'))]
      console.log(answers.map(({ kind }) => kind).join())
    `
    const options = { cwd: job.workspace, env: { ...process.env, RUNNER_DEBUG: '1' } }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options)
    expect(stdout).toBe('hit,miss,exists\n')
    expect(await readdir(job.workspace)).toEqual([])
  })

  test('knows beforehand that it may not write, and asks nobody', async () => {
    const reader = job.enter({ readOnly: true })
    expect(await reader.save(`k-${a}`, Buffer.from('x'))).toEqual({
      kind: 'unavailable',
      reason: 'read-only: the token of this run does not allow it',
    })
    expect(requests()).toBe(0)
  })

  test.each([
    ['none', 'lookUp', 'not readable: ACTIONS_CACHE_MODE is none'],
    ['write-only', 'fetch', 'not readable: ACTIONS_CACHE_MODE is write-only'],
    ['read', 'save', 'read-only: ACTIONS_CACHE_MODE is read'],
  ] as const)('in cache mode %s refuses a %s without a request', async (cacheMode, method, reason) => {
    const token = process.env.ACTIONS_RUNTIME_TOKEN ?? ''
    const limited = new ActionsStore({ workspace: job.workspace, cacheMode, token })
    expect(await limited[method](`k-${a}`, Buffer.from('x'))).toEqual({ kind: 'unavailable', reason })
    expect(requests()).toBe(0)
  })

  test('reads what the default branch saved, and keeps its own entries from it', async () => {
    await store.save(`k-${a}-main`, Buffer.from('main'))
    const branch = job.enter({ scope: 'refs/pull/7/merge' })
    expect(await branch.lookUp(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}-main` })
    await branch.save(`k-${b}`, Buffer.from('branch'))
    expect(await job.enter().lookUp(`k-${b}`)).toEqual({ kind: 'miss' })
  })

  test.each([
    ['refused', 401, /\(401\)/],
    ['rate limited', 429, /429|[Rr]ate limit/],
    ['reset', 'reset', /ECONNRESET/],
  ] as const)('a look-up that is %s is unavailable, no miss', async (_, fault, reason) => {
    job.service.failNext('GetCacheEntryDownloadURL', fault)
    expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'unavailable', reason: expect.stringMatching(reason) })
  })

  test.each([
    ['refused', 'CreateCacheEntry', 401, /\(401\)/],
    ['rate limited', 'CreateCacheEntry', 429, /429|[Rr]ate limit/],
    ['reset', 'CreateCacheEntry', 'reset', /ECONNRESET/],
    ['denied its upload', 'upload', 403, /403|internal|as the test asked/],
    ['refused at its end', 'FinalizeCacheEntryUpload', 400, /\(400\)/],
  ] as const)('a save that is %s is unavailable, and not taken for a lost race', async (_, api, fault, reason) => {
    job.service.failNext(api, fault)
    expect(await store.save(`k-${a}`, Buffer.from('x'))).toEqual({
      kind: 'unavailable',
      reason: expect.stringMatching(reason),
    })
  })

  test('a save whose last answer was lost is found to exist', async () => {
    job.service.failNext('FinalizeCacheEntryUpload', 'lost')
    expect(await store.save(`k-${a}`, Buffer.from('x'))).toEqual({ kind: 'exists' })
  })

  test('a key that another job has only reserved exists for writers and is a miss for readers', async () => {
    job.service.failNext('upload', 403)
    await store.save(`k-${a}`, Buffer.from('x'))
    expect(await store.save(`k-${a}`, Buffer.from('y'))).toEqual({ kind: 'exists' })
    expect(await store.lookUp(`k-${a}`)).toEqual({ kind: 'miss' })
  })

  test('a download that is refused is unavailable', async () => {
    await store.save(`k-${a}`, Buffer.from('x'))
    job.service.failNext('download', 403)
    expect(await store.fetch(`k-${a}`)).toEqual({ kind: 'unavailable', reason: expect.stringMatching(/./) })
  })

  test.each([
    ['is not one of ours', Buffer.from('something else')],
    ['belongs to another key', encodeEntry({ key: `k-${b}`, body: Buffer.from('x') })],
  ])('an entry under our key that %s is a miss', async (_, bytes) => {
    const { saveCache } = await import('@actions/cache')
    await writeFile(ENTRY_FILE, bytes)
    await captureOutput({ text: '' }, () => saveCache([ENTRY_FILE], `k-${a}`))
    expect(await store.fetch(`k-${a}`)).toEqual({
      kind: 'miss',
      reason: expect.stringMatching(/not one of ours|another key/),
    })
    expect(await readdir(job.workspace)).toEqual([])
  })

  test('gives up on a service that answers 500, then goes on without asking until the client has ended', async () => {
    const hasty = job.enter({}, { timeLimit: 300 })
    job.service.failNext('GetCacheEntryDownloadURL', 500)
    expect(await hasty.lookUp(`k-${a}`)).toEqual({
      kind: 'unavailable',
      reason: expect.stringMatching(/^no answer within 0\.3 s: Attempt 1 of 5 failed with error: .*500/),
    })
    const refusal = { kind: 'unavailable', reason: 'an earlier call still has no answer' }
    expect(await hasty.lookUp(`k-${a}`)).toEqual(refusal)
    expect(await hasty.save(`k-${a}`, Buffer.from('x'))).toEqual(refusal)
    expect(requests()).toBe(1)
    // The client tries again after 3 s and is answered.
    while ((await hasty.lookUp(`k-${a}`)).kind === 'unavailable') await delay(200)
    expect(await hasty.lookUp(`k-${a}`)).toEqual({ kind: 'miss' })
  })

  test('is unavailable when the process does not stand in the workspace', async () => {
    const elsewhere = new ActionsStore({ workspace: '/elsewhere', cacheMode: '', token: '' })
    const refusal = { kind: 'unavailable', reason: 'the working folder is not the workspace /elsewhere' }
    expect(await elsewhere.fetch(`k-${a}`)).toEqual(refusal)
    expect(await elsewhere.save(`k-${a}`, Buffer.from('x'))).toEqual(refusal)
  })
})
