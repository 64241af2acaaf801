import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { ExecOptions } from '../../src/exec/exec.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { dockerChecker, tagInDocker } from '../../src/image-check/docker-checker.ts'
import type { CheckQuestion } from '../../src/image-check/image-check.ts'

const ID = `sha256:${'a'.repeat(64)}`
const question: CheckQuestion = {
  repositories: [{ registry: 'ghcr.io', path: 'org/app' }],
  version: { tag: 'content-1' },
  platforms: [],
  subject: undefined,
}
const { signal } = new AbortController()
let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'docker-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Children find a `docker` of this test's own, or none. */
const exec = {
  run: (command: string, args: readonly string[], options: ExecOptions = {}) =>
    new SpawnExec().run(command, args, { ...options, env: { PATH: `${folder}${delimiter}/nowhere` } }),
}

async function docker(script: string): Promise<void> {
  await writeFile(join(folder, 'docker'), `#!/bin/sh\necho "$@" >> '${folder}/calls'\n${script}\n`)
  await chmod(join(folder, 'docker'), 0o755)
}

async function calls(): Promise<readonly string[]> {
  return (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n')
}

function image(fields: Readonly<Record<string, string>> = {}): string {
  return `echo '${JSON.stringify({ Id: ID, Os: 'linux', Architecture: 'arm', Variant: 'v7', ...fields })}'`
}

describe('the local Docker', () => {
  test('finds an image by its name', async () => {
    await docker(image())
    const answer = await dockerChecker(exec, signal).check(question)
    expect(answer).toMatchObject({ kind: 'found', digest: ID, holders: question.repositories })
    expect(await calls()).toEqual(['image inspect --format {{json .}} ghcr.io/org/app:content-1'])
  })

  test('must have it for the platforms that are wanted', async () => {
    await docker(image())
    const check = (...platforms: readonly string[]) => dockerChecker(exec, signal).check({ ...question, platforms })
    expect(await check('linux/arm/v7')).toMatchObject({ kind: 'found' })
    expect(await check('linux/arm/v7', 'linux/amd64')).toEqual({
      kind: 'missing',
      reason: 'in Docker it is for linux/arm/v7',
      missingPlatforms: ['linux/amd64'],
    })
  })

  test('says that there is none', async () => {
    await docker("echo 'Error response from daemon: No such image: ghcr.io/org/app:content-1' >&2; exit 1")
    expect(await dockerChecker(exec, signal).check(question)).toMatchObject({ kind: 'missing' })
  })

  test.each([
    [
      'does not run',
      "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1",
      'Cannot connect',
    ],
    ['answers nonsense', 'echo hello', 'no image in it'],
    ['has an image without an id', image({ Id: 'short' }), 'no image in it'],
    ['is not installed', undefined, 'docker'],
  ])('that %s can not tell', async (_, script, reason) => {
    if (script !== undefined) await docker(script)
    const answer = await dockerChecker(exec, signal).check(question)
    expect(answer).toEqual({ kind: 'unknown', reason: expect.stringContaining(reason) })
  })

  const content = { registry: 'ghcr.io', path: 'org/app', tag: 'content-1' }
  const tags = [
    { registry: 'ghcr.io', path: 'org/app', tag: 'v1' },
    { registry: 'docker.io', path: 'org/app', tag: 'v1' },
  ]

  test('gives an image more names', async () => {
    await docker('')
    await tagInDocker(exec, content, tags, signal)
    expect(await calls()).toEqual([
      'tag ghcr.io/org/app:content-1 ghcr.io/org/app:v1',
      'tag ghcr.io/org/app:content-1 docker.io/org/app:v1',
    ])
  })

  test('that refuses a name is an error', async () => {
    await docker("echo 'no space' >&2; exit 1")
    await expect(tagInDocker(exec, content, tags, signal)).rejects.toThrow(
      'docker tag ghcr.io/org/app:v1 failed: no space',
    )
  })
})
