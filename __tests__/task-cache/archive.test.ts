import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, open, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import { archiveIn, BrokenEntry } from '../../src/task-cache/archive-source.ts'
import { packOutputs } from '../../src/task-cache/pack-outputs.ts'
import { readOutputs, statOutputs } from '../../src/task-cache/read-outputs.ts'
import type { TaskRecord } from '../../src/task-cache/task-record.ts'
import { openEntry } from '../../src/task-cache/unpack-outputs.ts'
import { listTree, writeFiles } from '../support/task-rig.ts'

const { signal } = new AbortController()

describe.each([
  ['in zstd', false],
  ['as it is', true],
])('an archive of outputs, %s', (_, plain) => {
  let parent: string
  let root: string
  let file: string
  let target: string

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'archive-'))
    ;[root, file, target] = [join(parent, 'root'), join(parent, 'archive'), join(parent, 'target')]
    await mkdir(root)
    await mkdir(target)
  })
  afterEach(() => rm(parent, { recursive: true, force: true }))

  async function record(over: Partial<TaskRecord> = {}): Promise<TaskRecord> {
    const outputs = await readOutputs(root, await statOutputs(root, ['out']), signal)
    if (typeof outputs === 'string') throw new Error(outputs)
    const base = { key: digestOf('key'), name: 'task', madeAt: 1, seconds: 2, origin: { run: 'run 1' } }
    return { ...base, log: ['hello'], values: { a: 'b' }, outputs, ...over }
  }

  async function unpack(): Promise<TaskRecord> {
    const entry = await openEntry(archiveIn(file), signal)
    try {
      await entry.unpack((path) => join(target, path))
      return entry.record
    } finally {
      entry.close()
    }
  }

  /** Changes all of an archive that reads like this; what it is wrapped in fits again. */
  async function rewrite(from: string, to: string): Promise<void> {
    const bytes = await readFile(file)
    if (plain) await writeFile(file, replaceAll(bytes, from, to))
    else {
      const tar = await promisify(zstdDecompress)(bytes)
      await writeFile(file, await promisify(zstdCompress)(replaceAll(tar, from, to)))
    }
  }

  const LONG = `out/${'long-name-'.repeat(20)}/${'ü'.repeat(60)}`

  test('brings back files, modes, links, empty folders and the record', async () => {
    await writeFiles(root, {
      'out/a.txt': 'text',
      'out/run.sh': '#!/bin/sh',
      'out/empty.txt': '',
      'out/sub/link': '-> ../a.txt',
      'out/nowhere': '-> missing',
      'out/none/': '',
      [LONG]: 'long',
      'out/large': 'x'.repeat(3_000_000),
    })
    const written = await record()
    await packOutputs(root, written, file, signal, { plain })
    expect(await unpack()).toEqual(written)
    expect(await listTree(target)).toEqual(await listTree(root))
    expect((await stat(join(target, 'out/run.sh'))).mode & 0o777).toBe(0o755)
    expect(await readFile(join(target, 'out/large'), 'utf8')).toBe('x'.repeat(3_000_000))
    expect(await readFile(join(target, LONG), 'utf8')).toBe('long')
  })

  test('is the same for the same outputs', async () => {
    await writeFiles(root, { 'out/a': 'x', 'out/b': 'y' })
    const written = await record()
    await packOutputs(root, written, file, signal, { plain })
    await packOutputs(root, written, `${file}2`, signal, { plain })
    expect(await readFile(`${file}2`)).toEqual(await readFile(file))
  })

  test('of nothing but values is one', async () => {
    const written = await record()
    await packOutputs(root, written, file, signal, { plain })
    expect(await unpack()).toEqual(written)
  })

  test.each([1, 100, 5_000, 200_000])('that is cut off after %d bytes is broken', async (length) => {
    await writeFiles(root, { 'out/a': randomText(300_000), 'out/b': randomText(300_000) })
    await packOutputs(root, await record(), file, signal, { plain })
    await truncate(file, length)
    await expect(unpack()).rejects.toThrow(BrokenEntry)
  })

  test('that lacks the end of its last file is broken', async () => {
    await writeFiles(root, { 'out/a': randomText(30_000) })
    await packOutputs(root, await record(), file, signal, { plain })
    await truncate(file, (await stat(file)).size - 3000)
    await expect(unpack()).rejects.toThrow(BrokenEntry)
  })

  test('with a changed byte is broken', async () => {
    await writeFiles(root, { 'out/a': randomText(300_000) })
    await packOutputs(root, await record(), file, signal, { plain })
    const handle = await open(file, 'r+')
    await handle.write(Buffer.from('changed'), 0, 7, 150_000)
    await handle.close()
    await expect(unpack()).rejects.toThrow(BrokenEntry)
  })

  test('with other content of the same size, well packed, is broken', async () => {
    await writeFiles(root, { 'out/a': 'good' })
    await packOutputs(root, await record(), file, signal, { plain })
    await rewrite('good', 'evil')
    await expect(unpack()).rejects.toThrow('out/a has another digest than its record says')
  })

  test('without a file that its record names is broken', async () => {
    await writeFiles(root, { 'out/a': 'x' })
    await packOutputs(root, await record(), file, signal, { plain })
    // Files become folders.
    const between = `${'\0'.repeat(100)}ustar`
    await rewrite(`0${between}`, `5${between}`)
    await expect(unpack()).rejects.toThrow(BrokenEntry)
  })

  test('with a record that says something else is broken', async () => {
    await packOutputs(root, await record(), file, signal, { plain })
    await rewrite('"log":["hello"]', '"log":["HELLO"]')
    await expect(unpack()).rejects.toThrow('its record was changed')
  })

  test('with other content of a large file is broken, and says which', async () => {
    await writeFiles(root, { 'out/a': randomText(5_000_000), 'out/b': randomText(5_000_000), 'out/c': 'x' })
    await packOutputs(root, await record(), file, signal, { plain })
    const text = (await readFile(join(root, 'out/b'), 'latin1')).slice(4_000_000, 4_000_100)
    await rewrite(text, text.toUpperCase())
    await expect(unpack()).rejects.toThrow('out/b has another digest than its record says')
  })

  test('brings back many files, whichever thread writes them', async () => {
    const files = Array.from({ length: 700 }, (__, n): [string, string] => [`out/${n % 7}/${n}`, `content ${n}`])
    await writeFiles(root, Object.fromEntries([...files, ['out/big', 'x'.repeat(9_000_000)]]))
    const written = await record()
    await packOutputs(root, written, file, signal, { plain })
    expect(await unpack()).toEqual(written)
    expect(await listTree(target)).toEqual(await listTree(root))
    expect(await readFile(join(target, 'out/5/698'), 'utf8')).toBe('content 698')
  })

  test.each(['', 'hello', 'x'.repeat(5000)])('that is something else is broken: %.10j', async (text) => {
    await writeFile(file, text)
    await expect(unpack()).rejects.toThrow(BrokenEntry)
  })

  test('with a record of another format is broken', async () => {
    await packOutputs(root, await record(), file, signal, { plain })
    await rewrite('"format":1', '"format":9')
    await expect(unpack()).rejects.toThrow('its record is not readable')
  })

  test('is not made of a file that has another size by now', async () => {
    await writeFiles(root, { 'out/a': 'four' })
    const written = await record()
    await writeFiles(root, { 'out/a': 'fives' })
    await expect(packOutputs(root, written, file, signal, { plain })).rejects.toThrow()
  })

  test('is not made where there is no place for it', async () => {
    await writeFiles(root, { 'out/a': randomText(3_000_000), 'out/b': randomText(3_000_000) })
    await expect(packOutputs(root, await record(), '/dev/full/x', signal, { plain })).rejects.toThrow()
    await expect(packOutputs(root, await record(), join(parent, 'no', 'folder'), signal, { plain })).rejects.toThrow(
      /ENOENT/,
    )
  })
})

/** Text that doesn't pack well, so that an archive of it is about as long. */
function randomText(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length)
}

function replaceAll(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1')
}
