import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { hashEntries } from '../../src/content/hash-entries.ts'
import { hashFiles } from '../../src/content/hash-files.ts'
import { StatCache } from '../../src/content/stat-cache.ts'

let root = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hash-files-'))
})
afterEach(() => rm(root, { recursive: true }))

async function put(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  await writeFile(join(root, path), content)
  await chmod(join(root, path), mode)
}

/** As git says: `blob <bytes>`, NUL, content. */
function blobId(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
}

describe('hashFiles', () => {
  test('tells kind, mode and digest of files, links and folders, in the order that was asked', async () => {
    await put('run.sh', '#!/bin/sh\n', 0o755)
    await symlink('run.sh', join(root, 'link'))
    await mkdir(join(root, 'empty'), { mode: 0o700 })
    expect([...(await hashFiles(root, ['run.sh', 'link', 'empty']))]).toEqual([
      ['run.sh', { kind: 'file', mode: 0o755, digest: digestOf('#!/bin/sh\n') }],
      ['link', { kind: 'link', mode: 0, digest: digestOf('run.sh') }],
      ['empty', { kind: 'folder', mode: 0o700, digest: digestOf('') }],
    ])
  })

  test('follows no link, be it dangling or to a folder', async () => {
    await symlink('nowhere', join(root, 'dangling'))
    await symlink('/', join(root, 'up'))
    const hashes = await hashFiles(root, ['dangling', 'up'])
    expect([...hashes.values()].map(({ kind }) => kind)).toEqual(['link', 'link'])
  })

  test('fails with the path of a file that is not there', async () => {
    await expect(hashFiles(root, ['gone'])).rejects.toThrow(/ENOENT.*gone/)
  })

  test('stops when it is cancelled', async () => {
    await put('a', 'x')
    const reason = new Error('enough')
    await expect(hashFiles(root, ['a'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

const MIB = 1 << 20

describe('contents of every size', () => {
  const sizes = [0, 1, 4095, MIB - 1, MIB, MIB + 1, 3 * MIB + 7]
  test.each(sizes)('%d bytes are hashed whole, by SHA-256 and as git does', async (size) => {
    const content = Buffer.alloc(size, 'abcdefg')
    await put('file', content)
    expect((await hashFiles(root, ['file'])).get('file')?.digest).toBe(digestOf(content))
    expect((await hashEntries(root, ['file'], 'git-blob', {})).get('file')?.hash).toBe(blobId(content))
  })
})

describe('large work', () => {
  const paths = Array.from({ length: 3500 }, (_, index) => `${index}`)
  beforeEach(async () => {
    for (const path of paths) await put(path, `content of ${path}\n`)
  })

  test('comes out the same on one thread and on several', async () => {
    const one = await hashFiles(root, paths, { threads: 1 })
    const three = await hashFiles(root, paths, { threads: 3 })
    expect([...three]).toEqual([...one])
    expect(three.get('7')?.digest).toBe(digestOf('content of 7\n'))
  })

  test.each([1, 2])('fails with the path of a file that goes away meanwhile, on %d threads', async (threads) => {
    const hashing = hashFiles(root, paths, { threads })
    // Nothing is read before the next turn, and this one lies in the middle.
    rmSync(join(root, '2750'))
    await expect(hashing).rejects.toThrow(/ENOENT.*2750/)
  })

  test('can be cancelled while threads run', async () => {
    const abort = new AbortController()
    const hashing = hashFiles(root, paths, { threads: 2, signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(hashing).rejects.toThrow('enough')
  })
})

describe('the stat cache', () => {
  const DAY = 86_400_000
  let folder = ''
  let now = 0
  beforeEach(async () => {
    folder = join(root, '.stats')
    now = Date.now() + DAY
  })

  const open = (): Promise<StatCache> => StatCache.open({ folder, root, clock: { now: () => now } })

  async function digest(): Promise<string | undefined> {
    const statCache = await open()
    const hashes = await hashFiles(root, ['file'], { statCache })
    await statCache.save()
    return hashes.get('file')?.digest
  }

  function changeHash(bytes: Buffer): Buffer {
    const at = bytes.indexOf(Buffer.from(digestOf('one').slice('sha256:'.length), 'hex'))
    return bytes.fill('e'.repeat(64), at, at + 32, 'hex')
  }

  /** Makes the cache's own file say something else, so that an answer from it can be told from one by content. */
  async function plant(): Promise<string> {
    const [name = ''] = await readdir(folder)
    const bytes = await readFile(join(folder, name))
    const head = bytes.indexOf('\n') + 1 + 64 + 1
    changeHash(bytes)
    bytes.write(createHash('sha256').update(bytes.subarray(head)).digest('hex'), head - 65, 'latin1')
    await writeFile(join(folder, name), bytes)
    return `sha256:${'e'.repeat(64)}`
  }

  test('answers for a file that was left alone', async () => {
    await put('file', 'one')
    expect(await digest()).toBe(digestOf('one'))
    const planted = await plant()
    expect(await digest()).toBe(planted)
  })

  const changes: readonly [string, () => Promise<unknown>][] = [
    ['written with another size', () => put('file', 'three')],
    ['written with the same size', () => put('file', 'two')],
    [
      'written with the same size and time',
      async () => {
        await put('file', 'two')
        await utimes(join(root, 'file'), 1000, 1000)
      },
    ],
    [
      'replaced by another of the same size and time',
      async () => {
        await put('other', 'two')
        await utimes(join(root, 'other'), 1000, 1000)
        await rename(join(root, 'other'), join(root, 'file'))
      },
    ],
    ['made executable', () => chmod(join(root, 'file'), 0o755)],
  ]
  test.each(changes)('does not answer for a file that was %s', async (_, change) => {
    await put('file', 'one')
    await utimes(join(root, 'file'), 1000, 1000)
    await digest()
    const planted = await plant()
    await change()
    expect(await digest()).not.toBe(planted)
  })

  test('keeps nothing of a file that was written a moment ago: it may be written again within one tick', async () => {
    now = Date.now()
    await put('file', 'one')
    await digest()
    await expect(readdir(folder)).rejects.toThrow('ENOENT')
  })

  test('keeps nothing of a file whose times lie in the future', async () => {
    await put('file', 'one')
    await utimes(join(root, 'file'), (now + DAY) / 1000, (now + DAY) / 1000)
    await digest()
    await expect(readdir(folder)).rejects.toThrow('ENOENT')
  })

  const damages: readonly [string, (bytes: Buffer) => Uint8Array][] = [
    ['cut off', (bytes) => bytes.subarray(0, bytes.length - 3)],
    ['changed', (bytes) => changeHash(bytes)],
    ['empty', () => Buffer.alloc(0)],
    ['of another kind', () => Buffer.from('{"version":2}')],
  ]
  test.each(damages)('counts as empty when its file is %s', async (_, damage) => {
    await put('file', 'one')
    await digest()
    const [name = ''] = await readdir(folder)
    await writeFile(join(folder, name), damage(await readFile(join(folder, name))))
    expect(await digest()).toBe(digestOf('one'))
  })

  test('is no trouble where its folder can not be made', async () => {
    await put('file', 'one')
    folder = join(root, 'file', 'stats')
    expect(await digest()).toBe(digestOf('one'))
  })

  test('is written once at the end of a process, however often something is learned', async () => {
    await put('file', 'one')
    await put('other', 'two')
    await utimes(join(root, 'file'), 1000, 1000)
    const at = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../src', path))
    const program = `
      import { hashFiles } from ${at('content/hash-files.ts')}
      import { StatCache } from ${at('content/stat-cache.ts')}
      const [, root, folder, now] = process.argv
      for (const path of ['file', 'other', 'file']) {
        const statCache = await StatCache.open({ folder, root, clock: { now: () => Number(now) } })
        await hashFiles(root, [path], { statCache })
        await statCache.saveSoon()
        const { readdirSync } = await import('node:fs')
        if (readdirSync(folder).length > 0) console.log('too early')
      }
      process.exit()
    `
    const args = ['--input-type=module', '-e', program, root, folder, String(now)]
    expect((await promisify(execFile)(process.execPath, args)).stdout).toBe('')
    expect(await readdir(folder)).toHaveLength(1)
    const planted = await plant()
    expect(await digest()).toBe(planted)
  })

  test('keeps hashes of both kinds apart', async () => {
    await put('file', 'one')
    await digest()
    const statCache = await open()
    const entries = await hashEntries(root, ['file'], 'git-blob', { statCache })
    expect(entries.get('file')?.hash).toBe(blobId(Buffer.from('one')))
  })
})
