import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { lockSteps } from '../../src/flow/lock-steps.ts'
import { readSource } from '../../src/flow/source.ts'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'
import { NoStore } from '../../src/stores/no-store.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-steps-'))
})
afterEach(() => rm(folder, { recursive: true }))

const [A, B] = ['a', 'b'].map((digit) => `--hash=sha256:${digit.repeat(64)}`)

/** What comes of `pip install -r` with these lines, where every question to the index is answered by an error. */
async function locked(...lines: readonly string[]) {
  await writeFile(join(folder, 'requirements.txt'), lines.join('\n'))
  await writeFile(
    join(folder, 'Dockerfile'),
    'FROM python\nCOPY requirements.txt /\nRUN pip install -r /requirements.txt\n',
  )
  const inputs = parseBuildInputs(() => '')
  const source = await readSource(inputs, folder)
  const env = { PATH: '/usr/local/bin:/bin', PYTHON_VERSION: '3.12.4' }
  const view = { baseImage: () => ({ env }), contextFiles: source.files.files, platform: 'linux/amd64' }
  const python = { version: '3.12', fullVersion: '3.12.4', shipped: new Map(), libc: 36 }
  const steps = findInstalls(source.dockerfile, view).filter(isInstallStep)
  return await lockSteps({
    steps,
    python,
    inputs,
    source,
    tools: {
      view,
      installerFor: async () => 'tools.example/python-uv@sha256:abc',
      runInstaller: async () => ({ kind: 'failed', stderr: 'error: the index was asked' }),
      store: new NoStore('none'),
    },
  })
}

test('a file that pins hashes of some packages alone is left: pip refuses it', async () => {
  expect(await locked(`a==1 ${A}`, 'b==2')).toMatchObject({
    kind: 'refused',
    code: 'unknown-option',
    sentence: expect.stringContaining('pins hashes of some packages and not of others'),
  })
})

test.each([
  ['of all packages', [`a==1 ${A}`, `b==2 ${B}`]],
  ['of none', ['a==1', 'b==2']],
])('a file with hashes %s is resolved', async (_, lines) => {
  expect(await locked(...lines)).toMatchObject({ kind: 'refused', code: 'resolution-failed' })
})
