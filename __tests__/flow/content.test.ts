import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import { type Content, identifyContent } from '../../src/flow/content.ts'
import { readSource } from '../../src/flow/source.ts'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

let folder = ''
let fake: RegistryFake

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'content-'))
  fake = await startRegistryFake()
})
afterEach(async () => {
  await fake.close()
  await rm(folder, { recursive: true })
})

function image(name: string, version: string): void {
  const [repository = '', tag = ''] = name.split(':')
  fake.addManifest(repository, tag, OCI_MANIFEST, { schemaVersion: 2, annotations: { version } })
}

async function identify(dockerfile: string, more: Readonly<Record<string, string>> = {}): Promise<Content> {
  await writeFile(join(folder, 'Dockerfile'), dockerfile)
  const inputs = parseBuildInputs((name) => ({ 'optimize-layers': 'false', ...more })[name] ?? '')
  const content = await identifyContent(inputs, await readSource(inputs, folder), new HttpRegistry(), {
    exec: new SpawnExec(),
  })
  if (content.kind === 'unknown') throw new Error(content.reason)
  return content
}

describe('images of several platforms', () => {
  beforeEach(() => {
    for (const name of ['base/amd64:1', 'base/arm64:1', 'tool:1']) image(name, '1')
  })
  const dockerfile = () => `FROM ${fake.host}/base/\${TARGETARCH}:1\nCOPY --from=${fake.host}/tool:1 /a /a\n`
  const platforms = 'linux/amd64,linux/arm64'

  test('are all resolved, each name once', async () => {
    const { images } = await identify(dockerfile(), { platforms })
    expect(images.map(({ name, isBase }) => [name.slice(fake.host.length + 1), isBase]).sort()).toEqual([
      ['base/amd64:1', true],
      ['base/arm64:1', true],
      ['tool:1', false],
    ])
    expect(fake.kinds).toEqual(['HEAD manifests', 'HEAD manifests', 'HEAD manifests'])
  })

  test.each(['base/amd64:1', 'base/arm64:1', 'tool:1'])('change the key when %s changes', async (name) => {
    const before = await identify(dockerfile(), { platforms })
    image(name, '2')
    expect((await identify(dockerfile(), { platforms })).key).not.toBe(before.key)
  })

  test('of a platform that is not built do not count', async () => {
    const before = await identify(dockerfile(), { platforms: 'linux/amd64' })
    image('base/arm64:1', '2')
    expect((await identify(dockerfile(), { platforms: 'linux/amd64' })).key).toBe(before.key)
  })
})

describe('build arguments', () => {
  test('that no needed stage uses do not count, and secrets count by name alone', async () => {
    image('base:1', '1')
    const text = `ARG UNUSED\nFROM ${fake.host}/base:1\nARG USED\n`
    const key = async (args: string, secrets = 'token=one'): Promise<string> =>
      (await identify(text, { 'build-args': args, secrets })).key
    const before = await key('USED=1')
    expect(await key('USED=1\nUNUSED=1\nGIT_SHA=abc')).toBe(before)
    expect(await key('USED=1', 'token=two')).toBe(before)
    expect(await key('USED=2')).not.toBe(before)
    expect(await key('USED=1', 'other=one')).not.toBe(before)
  })
})

describe('the installer image', () => {
  beforeEach(() => {
    for (const name of ['python:3.12-slim', 'base:1', 'uv:py3.12', 'uv:fixed']) image(name, '1')
  })
  const installer = (name: string) => ({ 'optimize-layers': 'true', 'installer-image': `${fake.host}/${name}` })

  const cases: readonly [string, string, string, Record<string, string>, boolean][] = [
    ['by digest where the tag of the base tells the Python', 'python:3.12-slim', 'uv:py{python}', {}, true],
    ['by digest where python-version is given', 'base:1', 'uv:py{python}', { 'python-version': '3.12' }, true],
    ['by digest where its name is complete', 'base:1', 'uv:fixed', {}, true],
    ['by name where the Python is not known yet', 'base:1', 'uv:py{python}', {}, false],
    ['by name where its registry does not have it', 'base:1', 'uv:gone', {}, false],
  ]
  test.each(cases)('counts %s', async (_, base, name, more, byDigest) => {
    const { parts } = await identify(`FROM ${fake.host}/${base}\nRUN pip install six\n`, {
      ...installer(name),
      ...more,
    })
    expect(parts.layers).toMatchObject({ installer: expect.stringMatching(byDigest ? /@sha256:/ : /^[^@]*$/) })
  })

  test('is not asked for where nothing is installed, or installs stay as they are', async () => {
    await identify(`FROM ${fake.host}/base:1\nRUN make\n`, installer('uv:fixed'))
    await identify(`FROM ${fake.host}/base:1\nRUN pip install six\n`, {
      ...installer('uv:fixed'),
      'optimize-layers': 'false',
    })
    expect(fake.kinds).toEqual(['HEAD manifests', 'HEAD manifests'])
  })
})

describe('a named context', () => {
  test('in place of a base image changes the key by its files', async () => {
    await mkdir(join(folder, 'lib'))
    await writeFile(join(folder, 'lib/a'), '1')
    await writeFile(join(folder, '.dockerignore'), 'lib\n')
    const more = { 'build-contexts': `base=${join(folder, 'lib')}` }
    const before = await identify('FROM base\n', more)
    expect(before.images).toEqual([])
    await writeFile(join(folder, 'lib/a'), '2')
    expect((await identify('FROM base\n', more)).key).not.toBe(before.key)
  })
})
