import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Digest, digestOf } from '../../src/base/digest.ts'
import { gitCommit } from '../../src/content/git-commit.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { resolveNamedContexts } from '../../src/flow/named-contexts.ts'

let folder = ''
const exec = new SpawnExec()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'named-contexts-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function resolveOne(value: string): Promise<Digest | undefined> {
  const imageDigest = (name: string): Promise<Digest> => Promise.resolve(digestOf(name))
  return (await resolveNamedContexts(new Map([['lib', value]]), { tools: { exec }, imageDigest })).get('lib')
}

describe('a named context', () => {
  test('that is a folder counts by its files, without those that its own ignore file names', async () => {
    await writeFile(join(folder, 'a'), '1')
    await writeFile(join(folder, '.dockerignore'), '*.log\n')
    const before = await resolveOne(folder)
    await writeFile(join(folder, 'x.log'), '1')
    expect(await resolveOne(folder)).toBe(before)
    await writeFile(join(folder, 'a'), '2')
    expect(await resolveOne(folder)).not.toBe(before)
  })

  test('that is an image counts by its digest', async () => {
    expect(await resolveOne('docker-image://python:3.12')).toBe(digestOf('python:3.12'))
  })

  test('that is an OCI layout counts by the digest of the tag', async () => {
    const [one, two] = [digestOf('one'), digestOf('two')]
    const named = (digest: Digest, tag: string) => ({
      digest,
      annotations: { 'org.opencontainers.image.ref.name': tag },
    })
    await writeFile(join(folder, 'index.json'), JSON.stringify({ manifests: [named(one, 'v1'), named(two, 'v2')] }))
    expect(await resolveOne(`oci-layout://${folder}:v2`)).toBe(two)
    await expect(resolveOne(`oci-layout://${folder}:v3`)).rejects.toThrow('holds no image v3')
    expect(await resolveOne(`oci-layout://${folder}@${one}`)).toBe(one)
  })

  test('of a kind that only the builder knows can not be told', async () => {
    await expect(resolveOne('target:base')).rejects.toThrow('the named context lib begins with target:')
  })
})

describe('a git repository', () => {
  const run = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.example', ...args], {
      cwd: folder,
      encoding: 'utf8',
    }).trim()
  const commit = (): string => {
    run('commit', '--quiet', '--allow-empty', '--message', 'x')
    return run('rev-parse', 'HEAD')
  }

  beforeEach(async () => {
    await mkdir(folder, { recursive: true })
    run('init', '--quiet', '--initial-branch=main')
  })

  test('stands for the commit of its default branch, a branch, a tag, a tag object or a full ref', async () => {
    const first = commit()
    run('tag', 'light')
    run('tag', '--annotate', 'heavy', '--message', 'x')
    run('branch', 'team/light')
    const second = commit()
    expect(await gitCommit(exec, folder, undefined)).toBe(second)
    expect(await gitCommit(exec, folder, 'main')).toBe(second)
    for (const ref of ['light', 'heavy', 'refs/tags/heavy', 'team/light'])
      expect(await gitCommit(exec, folder, ref)).toBe(first)
    expect(await gitCommit(exec, '/nowhere', first)).toBe(first)
  })

  test('that has no such ref, or can not be asked, is an error that says so without logins', async () => {
    commit()
    await expect(gitCommit(exec, folder, 'v9')).rejects.toThrow('has no ref v9')
    await expect(gitCommit(exec, 'https://me:word@127.0.0.1:9/a.git', 'v1')).rejects.toThrow(
      /git ls-remote https:\/\/\*\*\*@127/,
    )
  })
})

describe('a remote file', () => {
  let server: Server
  let url = ''
  let answer: (response: ServerResponse) => void
  beforeEach(async () => {
    server = createServer((_, response) => answer(response))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/files.tar`
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })

  test('counts by its strong entity tag', async () => {
    answer = (response) => response.writeHead(200, { etag: '"1"' }).end()
    const before = await resolveOne(url)
    expect(await resolveOne(url)).toBe(before)
    answer = (response) => response.writeHead(200, { etag: '"2"' }).end()
    expect(await resolveOne(url)).not.toBe(before)
  })

  const unclear: readonly [string, number, Record<string, string>, RegExp][] = [
    ['a weak tag', 200, { etag: 'W/"1"' }, /no strong ETag/],
    ['no tag', 200, {}, /no strong ETag/],
    ['an error', 503, { etag: '"1"' }, /answers 503/],
  ]
  test.each(unclear)('with %s can not be told', async (_, status, headers, message) => {
    answer = (response) => response.writeHead(status, headers).end()
    await expect(resolveOne(url)).rejects.toThrow(message)
  })
})
