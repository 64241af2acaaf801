import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { buildImage } from '../../src/entry/build-image.ts'
import { checkBuild } from '../../src/entry/check-build.ts'
import { contentKey } from '../../src/entry/content-key.ts'
import { renderDockerfile } from '../../src/entry/render-dockerfile.ts'
import type { BuildSettings } from '../../src/inputs/build-settings.ts'
import { addFakeImage } from '../support/fake-images.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

let fake: RegistryFake
let folder: string
let settings: BuildSettings
beforeEach(async () => {
  fake = await startRegistryFake()
  folder = await mkdtemp(join(tmpdir(), 'project-'))
  addFakeImage(fake, 'base', '1')
  await writeFile(join(folder, 'Dockerfile'), `FROM ${fake.host}/base:1\nCOPY main.py /\n`)
  await writeFile(join(folder, 'main.py'), 'print(1)\n')
  // Without layers no installer image is asked for.
  settings = { tags: [`${fake.host}/app:1`], 'optimize-layers': false, platforms: ['linux/amd64'], store: 'off' }
})
afterEach(async () => {
  await fake.close()
  await rm(folder, { recursive: true })
})

test('a key says what it was made of, and follows the files', async () => {
  const one = await contentKey(settings, { folder })
  expect(one.key).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect([...one.files.keys()]).toEqual(['Dockerfile', 'main.py'])
  expect(one.parts.map(({ name }) => name)).toContain(`base image ${fake.host}/base:1`)
  expect(await contentKey(settings, { folder })).toEqual(one)
  await writeFile(join(folder, 'main.py'), 'print(2)\n')
  expect((await contentKey(settings, { folder })).key).not.toBe(one.key)
})

test('a check of the build asks for that key, and nothing is built', async () => {
  const { key } = await contentKey(settings, { folder })
  const checked = await checkBuild(settings, { folder })
  expect(checked).toMatchObject({ outcome: 'missing', contentKey: key })
  addFakeImage(fake, 'app', `content-${key.slice('sha256:'.length)}`)
  expect(await checkBuild(settings, { folder })).toMatchObject({ outcome: 'found', contentKey: key })
})

test('tasks of a build belong to its key', async () => {
  const tasks = (text: string): string =>
    `tasks:\n  words:\n    run: echo ${text} > words.txt\n    outputs: words.txt\n`
  const keys = await Promise.all(
    ['a', 'b', 'a'].map(async (text) => (await contentKey({ ...settings, tasks: tasks(text) }, { folder })).key),
  )
  expect(keys[0]).toBe(keys[2])
  expect(keys[0]).not.toBe(keys[1])
})

test('a base image that is gone leaves the content unknown', async () => {
  await writeFile(join(folder, 'Dockerfile'), `FROM ${fake.host}/gone:1\n`)
  await expect(contentKey(settings, { folder })).rejects.toMatchObject({ code: 'E_CONTENT' })
  expect(await checkBuild(settings, { folder })).toMatchObject({ outcome: 'unknown', contentKey: undefined })
})

test('a run that is cancelled says so, whatever it was about to do', async () => {
  const lines: string[] = []
  for (const run of [contentKey, checkBuild, renderDockerfile, buildImage]) {
    const cancel = new AbortController()
    fake.fail('HEAD manifests', { kind: 'silent' })
    const ended = run({ ...settings, push: true }, { folder, signal: cancel.signal, log: (line) => lines.push(line) })
    setTimeout(() => cancel.abort(), 50)
    await expect(ended).rejects.toMatchObject({ code: 'E_CANCELLED' })
  }
})

test('a Dockerfile without installs is rendered as it is, without a builder', async () => {
  const rendered = await renderDockerfile({ ...settings, 'optimize-layers': true }, { folder })
  expect(rendered).toMatchObject({
    text: `FROM ${fake.host}/base:1\nCOPY main.py /\n`,
    assembly: 'as-written',
    layers: [],
  })
})
