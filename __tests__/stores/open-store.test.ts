import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { localLimits, openStore } from '../../src/stores/open-store.ts'

const job = {
  GITHUB_ACTIONS: 'true',
  ACTIONS_RESULTS_URL: 'http://127.0.0.1:1/',
  ACTIONS_RUNTIME_TOKEN: 'a.b.c',
  GITHUB_WORKSPACE: '/workspace',
  HOME: '/home/runner',
}

const s3 = {
  kind: 's3',
  bucket: 'cache',
  prefix: '',
  endpoint: 'https://s3.example.com',
  region: undefined,
  pathStyle: true,
} as const

describe('the store that is opened', () => {
  test.each([
    ['auto in an action', 'auto', job, 'actions', "GitHub's Actions cache"],
    [
      'auto on a server with cache service v1',
      'auto',
      { ...job, ACTIONS_RESULTS_URL: '', ACTIONS_CACHE_URL: 'x' },
      'actions',
      "GitHub's Actions cache",
    ],
    [
      'auto in a run step, which has no token',
      'auto',
      { ...job, ACTIONS_RUNTIME_TOKEN: '' },
      'local',
      'a local folder, no Actions cache here: ACTIONS_RUNTIME_TOKEN is not set: /home/runner/.cache/image-cache',
    ],
    [
      'auto on a laptop',
      'auto',
      { HOME: '/home/me' },
      'local',
      'a local folder, outside GitHub: /home/me/.cache/image-cache',
    ],
    [
      'auto on a laptop with another cache folder',
      'auto',
      { HOME: '/home/me', XDG_CACHE_HOME: '/fast' },
      'local',
      'a local folder, outside GitHub: /fast/image-cache',
    ],
    ['local in an action', 'local', job, 'local', 'a local folder, as asked: /home/runner/.cache/image-cache'],
    ['local without a home', 'local', {}, 'off', 'no place for a local store: neither XDG_CACHE_HOME nor HOME is set'],
    [
      'actions on a laptop',
      'actions',
      { HOME: '/home/me' },
      'off',
      'no Actions cache here: ACTIONS_RESULTS_URL is not set',
    ],
    [
      'actions without a workspace',
      'actions',
      { ...job, GITHUB_WORKSPACE: undefined },
      'off',
      'no Actions cache here: GITHUB_WORKSPACE is not set',
    ],
    ['off', 'off', job, 'off', 'the store is switched off'],
    [
      'local where it is switched off',
      'local',
      { HOME: '/home/me', IMAGE_CACHE_LOCAL: 'false' },
      'off',
      'the local store is switched off by IMAGE_CACHE_LOCAL',
    ],
    ['S3', s3, { HOME: '/home/me' }, 's3', 'the bucket cache at https://s3.example.com'],
    [
      'S3 behind a local folder',
      { kind: 'layered', remote: s3 },
      { HOME: '/home/me' },
      'local+s3',
      'a local folder: /home/me/.cache/image-cache, in front of the bucket cache at https://s3.example.com',
    ],
    [
      'S3 behind a local folder that is switched off',
      { kind: 'layered', remote: s3 },
      { HOME: '/home/me', IMAGE_CACHE_LOCAL: 'false' },
      's3',
      'the bucket cache at https://s3.example.com; the local store is switched off by IMAGE_CACHE_LOCAL',
    ],
    [
      "GitHub's cache behind a local folder, on a laptop",
      { kind: 'layered', remote: 'actions' },
      { HOME: '/home/me' },
      'local',
      'a local folder: /home/me/.cache/image-cache; no Actions cache here: ACTIONS_RESULTS_URL is not set',
    ],
  ] as const)('for %s', (_, kind, env, name, why) => {
    const opened = openStore({ kind, env })
    expect([opened.store.name, opened.why]).toEqual([name, why])
  })

  test('lies in the folder that was given', () => {
    expect(openStore({ kind: 'local', env: {}, folder: '/there' }).why).toBe('a local folder, as asked: /there')
  })

  test('that is off says so at every call', async () => {
    const { store } = openStore({ kind: 'off', env: {} })
    const refusal = { kind: 'unavailable', reason: 'the store is switched off' }
    const answers = [await store.lookUp('k'), await store.fetch('k'), await store.save('k', new Uint8Array())]
    expect(answers).toEqual([refusal, refusal, refusal])
  })

  test('takes the limits of the local store from the environment', () => {
    expect(localLimits({ IMAGE_CACHE_LOCAL_SIZE: '500MB', IMAGE_CACHE_LOCAL_AGE: '12h' })).toEqual({
      maxBytes: 500e6,
      maxAgeSeconds: 12 * 3600,
    })
    expect(localLimits({})).toEqual({})
  })

  test('names all limits that it cannot read', () => {
    const env = { HOME: '/home/me', IMAGE_CACHE_LOCAL_SIZE: 'much', IMAGE_CACHE_LOCAL_AGE: 'long' }
    expect(() => openStore({ kind: 'local', env })).toThrow(
      /IMAGE_CACHE_LOCAL_SIZE: "much".*; IMAGE_CACHE_LOCAL_AGE: "long"/,
    )
  })
})

describe('in a job, a local store', () => {
  const key = `k-${'a'.repeat(64)}`
  const main = {
    GITHUB_ACTIONS: 'true',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REPOSITORY: 'org/app',
  }
  const pull = { ...main, GITHUB_EVENT_NAME: 'pull_request', GITHUB_REF: 'refs/pull/7/merge', GITHUB_BASE_REF: 'main' }
  let folder: string
  let own: string
  let fork: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'open-store-'))
    own = join(folder, 'own.json')
    fork = join(folder, 'fork.json')
    await writeFile(own, JSON.stringify({ pull_request: { head: { repo: { full_name: 'org/app' } } } }))
    await writeFile(fork, JSON.stringify({ pull_request: { head: { repo: { full_name: 'other/app' } } } }))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const open = (env: Readonly<Record<string, string>>, key = '') =>
    openStore({ kind: 'local', env: { ...env, IMAGE_CACHE_SIGNING_KEY: key }, folder: join(folder, 'store') }).store

  test('of a pull request reads what the branch wrote, and the branch nothing of it', async () => {
    const ofPull = open({ ...pull, GITHUB_EVENT_PATH: own })
    await open(main).save(key, Buffer.from('main'))
    expect(await ofPull.fetch(key)).toMatchObject({ kind: 'hit' })
    await ofPull.save(`${key}-2`, Buffer.from('poison'))
    expect(await open(main).lookUp(`${key}-2`)).toEqual({ kind: 'miss' })
  })

  test('of a fork is read-only', async () => {
    expect(await open({ ...pull, GITHUB_EVENT_PATH: fork }).save(key, Buffer.from('x'))).toEqual({
      kind: 'unavailable',
      reason: 'read-only: the pull request is from a fork',
    })
  })

  test('with a signing key believes nobody who has not got it', async () => {
    await open(main).save(key, Buffer.from('poison'))
    expect(await open(main, 'a key of this test').fetch(key)).toEqual({
      kind: 'miss',
      reason: 'the entry is not signed',
    })
  })

  test('with a signing key does not believe an entry that was moved from another scope', async () => {
    await open({ ...pull, GITHUB_EVENT_PATH: own }, 'a key of this test').save(key, Buffer.from('poison'))
    const [from, to] = ['pull/7', 'trusted/main'].map((scope) => join(folder, 'store', 'scopes', ...scope.split('/')))
    await cp(from ?? '', to ?? '', { recursive: true })
    expect(await open(main, 'a key of this test').fetch(key)).toEqual({
      kind: 'miss',
      reason: 'the entry was written in the scope pull/7, which is not read here',
    })
  })
})
