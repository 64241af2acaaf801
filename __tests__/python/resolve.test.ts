import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  failureReason,
  type ResolveRequest,
  type RunInstaller,
  resolutionKey,
  resolve,
} from '../../src/python/resolve.ts'
import { LocalStore } from '../../src/stores/local-store.ts'
import type { Store } from '../../src/stores/store.ts'

const HASH = 'a'.repeat(64)
const LOCK = `lock-version = "1.0"
[[packages]]
name = "flask"
version = "3.1"
wheels = [{ url = "https://index.example/flask-3.1-py3-none-any.whl", hashes = { sha256 = "${HASH}" } }]
`
const REQUEST: ResolveRequest = {
  image: `registry.example/builder@sha256:${'0'.repeat(64)}`,
  pythonVersion: '3.12',
  platform: 'linux/amd64',
  requirements: [{ file: 'requirements.txt', line: 1, name: 'flask', text: 'flask>=3', hashes: [] }],
  constraints: [],
  onlyBinary: [],
  settings: { indexUrl: undefined, extraIndexUrls: [], findLinks: [], preReleases: false },
  installer: 'pip',
  salt: '',
  relock: false,
}

type Run = Parameters<RunInstaller>[0]

/** Answers as the builder image would, and notes what it was asked. */
function installer(outputs: Readonly<Record<string, string>>): { readonly runs: Run[]; readonly run: RunInstaller } {
  const runs: Run[] = []
  return {
    runs,
    run: async (run) => {
      runs.push(run)
      return { kind: 'done', outputs }
    },
  }
}

const TICKING = { value: 1000, now: (): number => TICKING.value++ }

let folder = ''
let store: Store

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'resolve-'))
  store = new LocalStore({ folder })
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('resolve', () => {
  test('asks once, then remembers', async () => {
    const { runs, run } = installer({ 'pylock.toml': LOCK, 'wheel-sizes.txt': '99 flask-3.1-py3-none-any.whl\n' })
    const first = await resolve(REQUEST, run, store, TICKING)
    const second = await resolve(REQUEST, run, store, TICKING)
    expect(first).toMatchObject({ kind: 'resolved', source: 'asked', storeTrouble: undefined })
    expect(second).toMatchObject({ kind: 'resolved', source: 'remembered' })
    expect(first.kind === 'resolved' && first.resolution).toEqual(second.kind === 'resolved' && second.resolution)
    expect(first).toMatchObject({
      resolution: {
        pythonVersion: '3.12',
        platform: 'linux/amd64',
        settings: REQUEST.settings,
        packages: [{ name: 'flask', wheel: { size: 99 }, hashes: [`sha256:${HASH}`] }],
      },
    })
    expect(runs).toHaveLength(1)
    expect(runs[0]).toMatchObject({ image: REQUEST.image, relock: false, files: { 'requirements.in': 'flask>=3\n' } })
  })

  test('relock asks anew, and the new answer is the one that is remembered', async () => {
    await resolve(REQUEST, installer({ 'pylock.toml': LOCK }).run, store, TICKING)
    const newer = installer({ 'pylock.toml': LOCK.replaceAll('3.1', '3.2') })
    const again = await resolve({ ...REQUEST, relock: true }, newer.run, store, TICKING)
    expect(newer.runs).toEqual([expect.objectContaining({ relock: true })])
    expect(again).toMatchObject({ source: 'asked', resolution: { packages: [{ version: '3.2' }] } })
    const later = await resolve(REQUEST, newer.run, store, TICKING)
    expect(later).toMatchObject({ source: 'remembered', resolution: { packages: [{ version: '3.2' }] } })
  })

  test('a broken entry is a miss', async () => {
    await store.save(
      `${resolutionKey(REQUEST)}-00000000000001`,
      new TextEncoder().encode('{"format":1,"packages":[{}]}'),
    )
    const { runs, run } = installer({ 'pylock.toml': LOCK })
    expect(await resolve(REQUEST, run, store, TICKING)).toMatchObject({ kind: 'resolved', source: 'asked' })
    expect(runs).toHaveLength(1)
  })

  test('a store that is down costs only the memory, and says so', async () => {
    const down: Store = new LocalStore({ folder: '/dev/null/nowhere' })
    const { runs, run } = installer({ 'pylock.toml': LOCK })
    const result = await resolve(REQUEST, run, down, TICKING)
    expect(result).toMatchObject({ kind: 'resolved', source: 'asked' })
    expect(result.kind === 'resolved' && result.storeTrouble).toMatch(/ENOTDIR|not a directory/)
    expect(runs).toHaveLength(1)
  })

  test.each<[string, Partial<ResolveRequest>]>([
    ['image', { image: `registry.example/builder@sha256:${'1'.repeat(64)}` }],
    ['Python', { pythonVersion: '3.13' }],
    ['platform', { platform: 'linux/arm64' }],
    [
      'requirements',
      { requirements: [{ file: 'requirements.txt', line: 1, name: 'flask', text: 'flask>=2', hashes: [] }] },
    ],
    [
      'pinned hashes',
      { requirements: [{ file: '', line: 1, name: 'flask', text: 'flask>=3', hashes: [`sha256:${HASH}`] }] },
    ],
    ['constraints', { constraints: REQUEST.requirements }],
    ['index', { settings: { ...REQUEST.settings, indexUrl: 'https://index.example/simple' } }],
    ['pre-releases', { settings: { ...REQUEST.settings, preReleases: true } }],
    ['installer', { installer: 'uv' }],
    ['only-binary', { onlyBinary: ['flask'] }],
    ['version there already', { installed: [{ name: 'flask', version: '3.0' }] }],
    ['salt', { salt: 'other' }],
  ])('another %s is another question', (_, change) => {
    expect(resolutionKey({ ...REQUEST, ...change })).not.toBe(resolutionKey(REQUEST))
  })

  test.each<[string, Partial<ResolveRequest>]>([
    [
      'where a line stands',
      { requirements: [{ file: 'other.txt', line: 7, name: 'flask', text: 'flask>=3', hashes: [] }] },
    ],
    ['that a line stands twice', { requirements: [...REQUEST.requirements, ...REQUEST.requirements] }],
    ['whether to ask anew', { relock: true }],
  ])('%s does not matter to the question', (_, change) => {
    expect(resolutionKey({ ...REQUEST, ...change })).toBe(resolutionKey(REQUEST))
  })

  test('versions that are there already are handed over as a lock, which uv prefers', async () => {
    const { runs, run } = installer({ 'pylock.toml': LOCK })
    const installed = [
      { name: 'flask', version: '3.0' },
      { name: 'click', version: '8.1' },
    ]
    await resolve({ ...REQUEST, installed }, run, store, TICKING)
    expect(runs[0]?.files['installed.toml']).toBe(
      'lock-version = "1.0"\ncreated-by = "image-cache"\n[[packages]]\nname = "click"\nversion = "8.1"\n[[packages]]\nname = "flask"\nversion = "3.0"\n',
    )
    expect(runs[0]?.script).toContain('cp installed.toml "$OUT/pylock.toml"')
  })

  test('user and password of an index are no part of the key and are not stored', async () => {
    const withLogin = (login: string): ResolveRequest => ({
      ...REQUEST,
      settings: { ...REQUEST.settings, indexUrl: `https://${login}index.example/simple` },
    })
    expect(resolutionKey(withLogin('someone:word@'))).toBe(resolutionKey(withLogin('')))
    await resolve(withLogin('someone:word@'), installer({ 'pylock.toml': LOCK }).run, store, TICKING)
    const stored = await store.fetch(resolutionKey(withLogin('')))
    expect(stored.kind === 'hit' && new TextDecoder().decode(stored.body)).not.toContain('someone')
  })

  test('a package without a wheel is told apart, and that is remembered', async () => {
    const { runs, run } = installer({ 'pylock.toml': LOCK.replace(/^wheels.*$/m, '') })
    for (const _ of [1, 2]) {
      const result = await resolve(REQUEST, run, store, TICKING)
      expect(result).toMatchObject({
        resolution: { packages: [] },
        unbuilt: [{ name: 'flask', reason: expect.stringContaining('flask 3.1 has no wheel') }],
      })
    }
    expect(runs).toHaveLength(1)
  })

  test('a platform that wheels are not planned for is refused without asking', async () => {
    const { runs, run } = installer({ 'pylock.toml': LOCK })
    const result = await resolve({ ...REQUEST, platform: 'linux/arm/v7' }, run, store, TICKING)
    expect(result).toEqual({ kind: 'failed', reason: expect.stringContaining('linux/arm/v7') })
    expect(runs).toHaveLength(0)
  })

  test('an installer that fails or throws gives a reason without passwords', async () => {
    const stderr = 'error: Failed to fetch `https://someone:word@index.example/flask/`'
    const failing: RunInstaller = async () => ({ kind: 'failed', stderr })
    const throwing: RunInstaller = async () => {
      throw new Error(stderr)
    }
    for (const run of [failing, throwing]) {
      const result = await resolve(REQUEST, run, store, TICKING)
      expect(result).toEqual({ kind: 'failed', reason: expect.stringContaining('https://***@index.example/flask/') })
    }
  })
})

describe('failureReason', () => {
  test('keeps what the resolver said and drops the builder around it', () => {
    const stderr = [
      '#7 [run 3/3] RUN sh run.sh',
      '#7 0.512 warning: something harmless',
      '#7 1.204   × No solution found when resolving dependencies:',
      '#7 1.204   ╰─▶ Because you require a<3 and a>4, we can conclude that your',
      '#7 1.204       requirements are unsatisfiable.',
      '------',
      ' > [run 3/3] RUN sh run.sh:',
    ].join('\n')
    expect(failureReason(stderr)).toBe(
      'No solution found when resolving dependencies: Because you require a<3 and a>4, we can conclude that your requirements are unsatisfiable.',
    )
  })

  test('gives the last lines when the trouble has no known shape, and a sentence when there are none', () => {
    expect(failureReason('one\ntwo\n')).toBe('one two')
    expect(failureReason('\n')).toBe('the resolver failed without a word')
  })
})
