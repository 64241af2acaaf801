import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { digestOf } from '../../src/base/digest.ts'
import type { Content } from '../../src/flow/content.ts'
import { readSource } from '../../src/flow/source.ts'
import { sourceKey } from '../../src/flow/stage-key.ts'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'
import type { ImageReference } from '../../src/registry/reference.ts'
import { parts } from '../support/content-parts.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stage-key-'))
  for (const path of ['a/one', 'b/two', 'other/three']) await put(path)
})
afterEach(() => rm(folder, { recursive: true }))

async function put(path: string, text = path): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

const reference: ImageReference = { registry: 'r.example', path: 'node', tag: '1' }

interface Change {
  readonly dockerfile?: string
  readonly base?: string
  readonly inputs?: Readonly<Record<string, string>>
  readonly onBuild?: readonly string[]
  readonly platform?: string
}

const DOCKERFILE = `ARG KIND=x
FROM tools AS tools
COPY b /tools/
FROM node AS made
ARG MODE
COPY a ./
RUN --mount=type=cache,target=/c build
COPY --from=tools /tools /tools
RUN pip install idna
RUN finish
FROM python
COPY other /x/
COPY --from=made /dist /dist
`

/** Of the stage `made`, or of its beginning. */
async function key(change: Change = {}, until?: number, from: string | number = 'made'): Promise<string | undefined> {
  const { dockerfile = DOCKERFILE, base = 'node', inputs: given = {}, onBuild = [], platform = 'linux/amd64' } = change
  await put('Dockerfile', dockerfile)
  await put('.dockerignore', 'Dockerfile\n')
  const inputs = parseBuildInputs((name) => given[name] ?? '')
  const image = (name: string, version = name) => ({ name, reference, digest: digestOf(version), isBase: true })
  const images = [image('node', base), image('tools'), image('python')]
  const content: Content = { kind: 'known', key: digestOf('key'), images, parts }
  const source = await readSource(inputs, folder)
  const view = {
    baseImage: () => ({ env: { PATH: '/bin' }, onBuild }),
    contextFiles: source.files.files,
    buildArgs: Object.fromEntries(inputs.buildArgs),
    platform,
  }
  return sourceKey(from, { inputs, source, content, view }, until)
}

describe('the key of what is copied from a stage', () => {
  test('is another one on another platform, also in a build for both', async () => {
    const inputs = { platforms: 'linux/amd64,linux/arm64' }
    expect(await key({ inputs, platform: 'linux/arm64' })).not.toBe(await key({ inputs }))
  })

  test('stays where something else of the build changes', async () => {
    const own = await key()
    expect(own).toBeDefined()
    await put('other/three', 'new')
    expect(await key()).toBe(own)
    expect(await key({ dockerfile: `${DOCKERFILE}ENV A=1\n` })).toBe(own)
    expect(await key({ inputs: { 'build-args': 'UNUSED=1' } })).toBe(own)
    expect(await key({}, undefined, 1)).toBe(own)
  })

  test.each<readonly [string, Change]>([
    ['its base image', { base: 'another' }],
    ['a step of it', { dockerfile: DOCKERFILE.replace('RUN finish', 'RUN finish --all') }],
    ['an argument above all stages', { dockerfile: DOCKERFILE.replace('KIND=x', 'KIND=y') }],
    ['a build argument that it uses', { inputs: { 'build-args': 'MODE=fast' } }],
    ['the name of a secret', { inputs: { secrets: 'token=x' } }],
  ])('changes with %s', async (_, change) => {
    expect(await key(change)).not.toBe(await key())
  })

  test.each([
    ['a file that it copies', 'a/one'],
    ['a file that a stage holds which it copies from', 'b/two'],
  ])('changes with %s', async (_, path) => {
    const own = await key()
    await put(path, 'new')
    expect(await key()).not.toBe(own)
  })

  test('changes with any file where a RUN sees the context, or triggers of the base image may', async () => {
    const bound = { dockerfile: DOCKERFILE.replace('type=cache,target=/c', 'target=/c') }
    const triggered = { onBuild: ['COPY . /'] }
    const before = [await key(bound), await key(triggered)]
    await put('other/three', 'new')
    expect(await key(bound)).not.toBe(before[0])
    expect(await key(triggered)).not.toBe(before[1])
  })

  test('counts a stage’s beginning alone where only that is copied', async () => {
    const [own, whole] = [await key({}, 9), await key()]
    expect(own).not.toBe(whole)
    expect(await key({ dockerfile: DOCKERFILE.replace('RUN finish', 'RUN other') }, 9)).toBe(own)
    expect(await key({ dockerfile: DOCKERFILE.replace('build\n', 'make\n') }, 9)).not.toBe(own)
  })

  test('is that image’s digest where it is none of the file’s stages', async () => {
    expect(await key({}, undefined, 'python')).toBe(digestOf('python'))
    expect(await key({}, undefined, 'unknown')).toBeUndefined()
  })

  test('is not known of files from the network and of contexts that are folders', async () => {
    expect(await key({ dockerfile: DOCKERFILE.replace('COPY a ./', 'ADD https://index.example/x ./') })).toBeUndefined()
    expect(await key({ inputs: { 'build-contexts': 'more=./a' } })).toBeUndefined()
  })
})
