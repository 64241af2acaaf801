import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { pack } from 'tar-stream'
import { readLayer } from '../../src/image-diff/read-layer.ts'

const TAR = 'application/vnd.oci.image.layer.v1.tar'

async function tarOf(
  ...entries: readonly (readonly [header: Parameters<ReturnType<typeof pack>['entry']>[0], text?: string])[]
): Promise<Buffer> {
  const archive = pack()
  for (const [header, text] of entries) {
    if (text === undefined) archive.entry(header)
    else archive.entry(header, text)
  }
  archive.finalize()
  return await buffer(archive)
}

/** Small pieces, as they come from a network. */
function pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const list = Array.from({ length: Math.ceil(bytes.length / 100) }, (_, at) =>
    bytes.subarray(at * 100, at * 100 + 100),
  )
  return Readable.from(list)
}

const long = `${'deep/'.repeat(60)}file.txt`
const layer = tarOf(
  [{ name: './etc/', type: 'directory', mode: 0o755 }],
  [{ name: './etc/passwd', mode: 0o4600, uid: 1, gid: 70_000 }, 'root'],
  [{ name: 'bin', type: 'symlink', linkname: 'usr/bin' }],
  [{ name: 'etc/other', type: 'link', linkname: './etc/passwd' }],
  [{ name: 'etc/.wh.gone' }, ''],
  [{ name: 'var/.wh..wh..opq' }, ''],
  [{ name: '.wh..wh.aufs' }, ''],
  [{ name: long }, 'long'],
)

describe('readLayer', () => {
  test.each([
    ['a plain tar', TAR, (bytes: Buffer) => bytes],
    ['gzip', `${TAR}+gzip`, (bytes: Buffer) => gzipSync(bytes)],
    ['zstd', `${TAR}+zstd`, (bytes: Buffer) => zstdCompressSync(bytes)],
    ['Docker’s gzip', 'application/vnd.docker.image.rootfs.diff.tar.gzip', (bytes: Buffer) => gzipSync(bytes)],
    [
      'zstd in several frames',
      `${TAR}+zstd`,
      (bytes: Buffer) =>
        Buffer.concat([zstdCompressSync(bytes.subarray(0, 700)), zstdCompressSync(bytes.subarray(700))]),
    ],
  ])('reads entries of %s', async (_, type, compress) => {
    const entries = await readLayer(pieces(compress(await layer)), type)
    expect(entries.map((entry) => [entry.what, entry.path])).toEqual([
      ['node', 'etc'],
      ['node', 'etc/passwd'],
      ['node', 'bin'],
      ['hard-link', 'etc/other'],
      ['whiteout', 'etc/gone'],
      ['opaque', 'var'],
      ['node', long],
    ])
    expect(entries[1]).toMatchObject({ node: { kind: 'file', mode: 0o4600, uid: 1, gid: 70_000, size: 4 } })
    expect(entries[2]).toMatchObject({ node: { kind: 'link', content: 'usr/bin' } })
    expect(entries[3]).toMatchObject({ target: 'etc/passwd' })
  })

  test.each([
    ['cut off', gzipSync(Buffer.alloc(5000)).subarray(0, 20)],
    ['no gzip', Buffer.from('nothing of that kind')],
  ])('fails when the bytes are %s', async (_, bytes) => {
    await expect(readLayer(pieces(bytes), `${TAR}+gzip`)).rejects.toThrow()
  })

  test('fails when the source does', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield (await layer).subarray(0, 600)
      throw new Error('connection lost')
    }
    await expect(readLayer(broken(), TAR)).rejects.toThrow('connection lost')
  })

  test('names a compression that it doesn’t know', async () => {
    await expect(readLayer(pieces(Buffer.from('x')), `${TAR}+brotli`)).rejects.toThrow('+brotli')
  })

  test('the version of uv in an environment’s notes doesn’t count', async () => {
    const contents = ['uv = 0.5.1\nhome = /usr\n', 'uv = 0.13.8\nhome = /usr\n', 'uv = 0.5.1\nhome = /opt\n'].map(
      async (text) => {
        const [entry] = await readLayer(pieces(await tarOf([{ name: 'v/pyvenv.cfg' }, text])), TAR)
        return entry?.what === 'node' ? `${entry.node.program} ${entry.node.content}` : ''
      },
    )
    const [a, b, c] = await Promise.all(contents)
    expect(a).toBe(b)
    expect(a).not.toBe(c)
  })

  test('the Python that a package’s own script names is compared by the file that it is, its lines byte by byte', async () => {
    const texts = [
      '#!/usr/local/bin/python3.12\nwork()\n',
      '#!/usr/local/bin/python\nwork()\n',
      '#!/usr/bin/perl\nwork()\n',
    ]
    const read = [...texts, '#!/usr/local/bin/python\nplay()\n'].map(async (text) => {
      const [entry] = await readLayer(pieces(await tarOf([{ name: 'usr/local/bin/tool' }, text])), TAR)
      return entry?.what === 'node' ? { program: entry.node.program, content: entry.node.content } : undefined
    })
    const [long, short, perl, other] = await Promise.all(read)
    expect([long?.program, short?.program]).toEqual(['/usr/local/bin/python3.12', '/usr/local/bin/python'])
    expect(long?.content).toBe(short?.content)
    expect(perl?.program).toBeUndefined()
    expect(new Set([short, perl, other].map((one) => one?.content)).size).toBe(3)
  })

  test('how an installer words a console script doesn’t count, what it starts does', async () => {
    const script = (python: string, main: string, words: string): string =>
      `#!${python}\n# -*- coding: utf-8 -*-\n${words.startsWith('re') ? 'import re\n' : ''}import sys\nfrom tool.cli import ${main}\n` +
      `if __name__ == '__main__':\n    sys.argv[0] = ${words}\n    sys.exit(${main}())\n`
    const texts = [
      script('/usr/local/bin/python3', 'main', "re.sub(r'(-script\\.pyw|\\.exe)?$', '', sys.argv[0])"),
      script('/usr/local/bin/python3', 'main', "sys.argv[0].removesuffix('.exe')"),
      script('/opt/venv/bin/python3', 'main', "sys.argv[0].removesuffix('.exe')"),
      script('/usr/local/bin/python3', 'other', "sys.argv[0].removesuffix('.exe')"),
      `${script('/usr/local/bin/python3', 'main', "sys.argv[0].removesuffix('.exe')")}print(1)\n`,
    ]
    const read = texts.map(async (text) => {
      const [entry] = await readLayer(pieces(await tarOf([{ name: 'usr/local/bin/tool' }, text])), TAR)
      return entry?.what === 'node' ? `${entry.node.program} ${entry.node.content}` : ''
    })
    const [a, b, ...others] = await Promise.all(read)
    expect(a).toBe(b)
    expect(new Set([a, ...others]).size).toBe(4)
  })
})
