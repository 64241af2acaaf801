import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { LayeredStore } from '../../src/stores/layered-store.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import { objectPath } from '../../src/stores/s3-object.ts'
import { S3Store, type S3StoreOptions } from '../../src/stores/s3-store.ts'
import type { Save, StoreKey } from '../../src/stores/store.ts'
import { S3_BUCKET, type S3Server, s3Env, startS3, stopS3 } from '../../tools/services/service-set.ts'
import { type PermissionRig, permissionContract, type StoreRig, storeContract } from '../contracts/store-contract.ts'
import { type FaultRig, storeFaultContract } from '../contracts/store-fault-contract.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts'

const a = 'a'.repeat(64)
const FOLDER = 'team/trusted/main'
jest.setTimeout(180_000)

let stateDir: string
let server: S3Server
const envBefore = { ...process.env }

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 's3-itg-'))
  server = await startS3(stateDir, (line) => process.stderr.write(`${line}\n`))
  Object.assign(process.env, s3Env(server))
})
afterAll(async () => {
  process.env = envBefore
  await stopS3(stateDir)
  await rm(stateDir, { recursive: true, force: true })
})

function openS3(options: Partial<S3StoreOptions> = {}): S3Store {
  return new S3Store({ bucket: S3_BUCKET, folder: FOLDER, endpoint: server.endpoint, pathStyle: true, ...options })
}

function objectFile(key: StoreKey): string {
  return join(stateDir, 's3', S3_BUCKET, FOLDER, objectPath(key))
}

async function emptyBucket(): Promise<void> {
  const bucket = join(stateDir, 's3', S3_BUCKET)
  for (const name of await readdir(bucket)) await rm(join(bucket, name), { recursive: true })
}

async function saveInProcess(key: StoreKey, body: string): Promise<Save> {
  const script = `
    import { S3Store } from ${JSON.stringify(join(import.meta.dirname, '../../src/stores/s3-store.ts'))}
    const store = new S3Store(${JSON.stringify({ bucket: S3_BUCKET, folder: FOLDER, endpoint: server.endpoint, pathStyle: true })})
    console.log(JSON.stringify(await store.save(${JSON.stringify(key)}, Buffer.from(${JSON.stringify(body)}))))
  `
  const env = { ...process.env }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env })
  return JSON.parse(stdout)
}

async function damageObject(key: StoreKey, how: 'changed' | 'cut off'): Promise<void> {
  const file = await open(objectFile(key), 'r+')
  try {
    if (how === 'changed') await file.write('#', 100)
    else await file.truncate((await file.stat()).size - 500)
  } finally {
    await file.close()
  }
}

function startRig(): Promise<PermissionRig> {
  // The contract's own proxy, so that the server itself can be "taken down".
  return startFaultProxy(server.endpoint).then((proxy) => {
    const open = (options: Partial<S3StoreOptions> = {}) => openS3({ endpoint: proxy.url, timeLimit: 5000, ...options })
    return {
      store: open(),
      sealed: (seal) => open({ seal }),
      reset: async () => {
        proxy.reset()
        await emptyBucket()
      },
      saveFromElsewhere: (key, bodies) => Promise.all(bodies.map((body) => saveInProcess(key, body))),
      damage: damageObject,
      takeDown: async () => proxy.fail(() => true, 'reset'),
      // The server gives whole seconds, as AWS does.
      tick: () => delay(1000 - (Date.now() % 1000) + 5),
      readOnly: () => {
        proxy.fail(({ method }) => method === 'PUT' || method === 'POST' || method === 'DELETE', 403)
        return open()
      },
      close: () => proxy.close(),
    }
  })
}

storeContract('the S3 store', startRig)
permissionContract('the S3 store', startRig)

storeContract('a local store in front of S3', async (): Promise<StoreRig> => {
  const rig = await startRig()
  const parent = await mkdtemp(join(tmpdir(), 'layered-'))
  const folder = join(parent, 'store')
  const layered = () => new LayeredStore({ local: new LocalStore({ folder }), remote: rig.store, tempDir: parent })
  return {
    ...rig,
    store: layered(),
    sealed: (seal) => new LayeredStore({ local: new LocalStore({ folder, seal }), remote: rig.sealed(seal) }),
    reset: async () => {
      await rig.reset()
      await rm(folder, { recursive: true, force: true })
    },
    saveFromElsewhere: (key, bodies) => Promise.all(bodies.map((body) => layered().save(key, Buffer.from(body)))),
    damage: async (key, how) => {
      const [entry] = (await new LocalStore({ folder }).list()).filter((one) => one.key === key)
      const bytes = await readFile(entry?.file ?? '')
      await writeFile(entry?.file ?? '', how === 'changed' ? bytes.fill('#', 5, 9) : bytes.subarray(0, 700))
    },
    takeDown: async () => {
      await rig.takeDown()
      await rm(folder, { recursive: true, force: true })
      await writeFile(folder, 'a file stands where the folder should be')
    },
    tick: async () => undefined,
    close: async () => {
      await rig.close()
      await rm(parent, { recursive: true, force: true })
    },
  }
})

const isAsk = ({ method, url = '' }: IncomingMessage): boolean => method === 'GET' && url.includes('list-type=2')
const isDownload = (request: IncomingMessage): boolean => request.method === 'GET' && !isAsk(request)
const isUpload = ({ method }: IncomingMessage): boolean => method === 'PUT' || method === 'POST'

storeFaultContract('the S3 store', async (): Promise<FaultRig> => {
  const proxy = await startFaultProxy(server.endpoint)
  await emptyBucket()
  return {
    open: () => openS3({ endpoint: proxy.url, timeLimit: 1000, fileTimeLimit: 1000 }),
    fail: (call, fault) => proxy.fail({ ask: isAsk, download: isDownload, upload: isUpload }[call], fault),
    close: () => proxy.close(),
  }
})

describe('the S3 store', () => {
  let proxy: FaultProxy
  let folder: string

  beforeAll(async () => {
    proxy = await startFaultProxy(server.endpoint)
    folder = await mkdtemp(join(tmpdir(), 's3-files-'))
  })
  beforeEach(async () => {
    proxy.reset()
    await emptyBucket()
  })
  afterAll(async () => {
    await proxy.close()
    await rm(folder, { recursive: true, force: true })
  })

  const store = (options: Partial<S3StoreOptions> = {}) => openS3({ endpoint: proxy.url, ...options })

  test('looks up in one request, fetches in two, saves in one', async () => {
    await store().save(`k-${a}-1`, Buffer.from('x'))
    expect(proxy.requests()).toHaveLength(1)
    await store().lookUp(`k-${a}`)
    expect(proxy.requests()).toHaveLength(2)
    await store().fetch(`k-${a}`)
    expect(proxy.requests()).toHaveLength(4)
    await store().fetchFile(`k-${'b'.repeat(64)}`, join(folder, 'none'))
    expect(proxy.requests()).toHaveLength(5)
  })

  test('tries again when the service asks it to slow down', async () => {
    proxy.fail(isUpload, 503, 1)
    expect(await store().save(`k-${a}`, Buffer.from('x'))).toEqual({ kind: 'saved' })
  })

  test('finds that an entry exists when the answer to its save was lost', async () => {
    proxy.fail(isUpload, 'lost', 1)
    expect(await store().save(`k-${a}`, Buffer.from('x'))).toEqual({ kind: 'exists' })
  })

  test('sends a file of 100 MB in parts, in constant memory, once', async () => {
    const from = join(folder, 'large')
    await writeFile(from, randomBytes(100_000_000))
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }, 20)
    // Not through the proxy, which holds whole answers.
    expect(await openS3().saveFile(`k-${a}`, from)).toEqual({ kind: 'saved' })
    expect(await openS3().fetchFile(`k-${a}`, join(folder, 'back'))).toMatchObject({ kind: 'hit', bytes: 100_000_000 })
    clearInterval(watch)
    expect(most - before).toBeLessThan(95_000_000)
    expect((await stat(join(folder, 'back'))).size).toBe(100_000_000)
    expect(await store().saveFile(`k-${a}`, from)).toEqual({ kind: 'exists' })
    expect(proxy.requests()).toHaveLength(1)
  })

  test('lets one of several large uploads at once win', async () => {
    const from = join(folder, 'parts')
    await writeFile(from, Buffer.alloc(20_000_000, 'x'))
    const answers = await Promise.all([1, 2, 3].map(() => openS3().saveFile(`k-${a}`, from)))
    expect(answers.map(({ kind }) => kind).toSorted()).toEqual(['exists', 'exists', 'saved'])
  })

  test('removes an entry that it found broken, so that it can be saved anew', async () => {
    await store().save(`k-${a}`, Buffer.from('precious '.repeat(500)))
    await damageObject(`k-${a}`, 'changed')
    expect(await store().fetch(`k-${a}`)).toEqual({ kind: 'miss', reason: 'the content of the entry was changed' })
    expect(await store().save(`k-${a}`, Buffer.from('y'))).toEqual({ kind: 'saved' })
  })

  test('reads more entries of one prefix than fit on a page', async () => {
    const keys = Array.from({ length: 1100 }, (_, index) => `k-${a}-${String(index).padStart(4, '0')}`)
    for (let at = 0; at < keys.length; at += 50)
      await Promise.all(keys.slice(at, at + 50).map((key) => openS3().save(key, Buffer.from('x'))))
    await delay(1100)
    await openS3().save(`k-${a}-0000-last`, Buffer.from('x'))
    expect(await openS3().lookUp(`k-${a}`)).toEqual({ kind: 'hit', key: `k-${a}-0000-last` })
  })

  test.each([
    ['a bucket that is not there', { bucket: 'another-bucket' }, /NoSuchBucket/],
    ['an address where nobody listens', { endpoint: 'http://127.0.0.1:1' }, /ECONNREFUSED/],
  ])('is unavailable with %s', async (_, options, reason) => {
    expect(await store(options).lookUp(`k-${a}`)).toEqual({
      kind: 'unavailable',
      reason: expect.stringMatching(reason),
    })
  })

  test('is unavailable with a wrong login, and does not show it', async () => {
    const script = `
      import { S3Store } from ${JSON.stringify(join(import.meta.dirname, '../../src/stores/s3-store.ts'))}
      const store = new S3Store(${JSON.stringify({ bucket: S3_BUCKET, folder: FOLDER, endpoint: server.endpoint, pathStyle: true })})
      console.log(JSON.stringify(await store.lookUp('k-1')))
    `
    const env = { ...process.env, AWS_SECRET_ACCESS_KEY: 'not the right one' }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env })
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'unavailable', reason: expect.stringMatching(/403/) })
    expect(stdout).not.toContain('not the right one')
  })

  test('is unavailable where there is no login at all', async () => {
    const home = join(folder, 'home')
    const script = `
      import { S3Store } from ${JSON.stringify(join(import.meta.dirname, '../../src/stores/s3-store.ts'))}
      const store = new S3Store(${JSON.stringify({ bucket: S3_BUCKET, folder: FOLDER, endpoint: server.endpoint, pathStyle: true })})
      console.log(JSON.stringify(await store.lookUp('k-1')))
    `
    const env = { PATH: process.env.PATH ?? '', HOME: home, AWS_EC2_METADATA_DISABLED: 'true' }
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env })
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'unavailable', reason: expect.stringMatching(/[Cc]redentials/) })
  })
})
