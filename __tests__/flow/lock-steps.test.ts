import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { findInstalls, isInstallStep } from '../../src/dockerfile/find-installs.ts'
import { lockSteps } from '../../src/flow/lock-steps.ts'
import { readSource } from '../../src/flow/source.ts'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'
import type { RunInstaller } from '../../src/python/resolve.ts'
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
  const text = 'FROM python\nCOPY requirements.txt /\nRUN pip install -r /requirements.txt\n'
  return await lockedBy(text, async () => ({ kind: 'failed', stderr: 'error: the index was asked' }))
}

async function lockedBy(text: string, runInstaller: RunInstaller) {
  await writeFile(join(folder, 'Dockerfile'), text)
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
      runInstaller,
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

/** An index with one answer for each set of requirements: packages as `name==version`. */
function index(answers: Readonly<Record<string, readonly string[]>>) {
  const asked: { readonly wanted: string; readonly installed: readonly string[]; readonly limits: string }[] = []
  const run: RunInstaller = async ({ files }) => {
    const wanted = (files['requirements.in'] ?? '').trim()
    const installed = [...(files['installed.toml'] ?? '').matchAll(/^name = "(.*)"\nversion = "(.*)"$/gm)]
    const limits = (files['constraints.in'] ?? '').trim()
    asked.push({ wanted, installed: installed.map(([, name, version]) => `${name}==${version}`), limits })
    const packages = (answers[wanted] ?? []).map((pin) => {
      const [name = '', version = ''] = pin.split('==')
      const wheel = `{ url = "https://index.example/${name}-${version}-py3-none-any.whl", hashes = { sha256 = "${'a'.repeat(64)}" } }`
      return `[[packages]]\nname = "${name}"\nversion = "${version}"\nwheels = [${wheel}]\n`
    })
    return { kind: 'done', outputs: { 'pylock.toml': ['lock-version = "1.0"\n', ...packages].join('') } }
  }
  return { asked, run }
}

function pinsOf(lock: Awaited<ReturnType<typeof lockedBy>>): readonly string[] {
  return lock.kind === 'locked' ? lock.packages.map(({ name, version }) => `${name}==${version}`) : [lock.sentence]
}

test('each install is resolved in its turn and finds what those before it have installed', async () => {
  const { asked, run } = index({ a: ['a==2', 'b==2'], 'b<2': ['b==1'] })
  const lock = await lockedBy("FROM python\nRUN pip install a\nRUN pip install 'b<2'\n", run)
  expect(pinsOf(lock)).toEqual(['a==2', 'b==1'])
  expect(asked).toEqual([
    { wanted: 'a', installed: [], limits: '' },
    { wanted: 'b<2', installed: ['a==2', 'b==2'], limits: '' },
    // Which files they share is asked of all of them together.
    { wanted: 'a==2\nb==1', installed: [], limits: '' },
  ])
})

test('commands of one step are resolved in their turns, too', async () => {
  const { run } = index({ 'a==1': ['a==1'], 'a==2': ['a==2'] })
  expect(pinsOf(await lockedBy('FROM python\nRUN pip install a==1 && pip install a==2\n', run))).toEqual(['a==2'])
})

test.each([
  ['pip', 'pip install', 'those it is asked for', ['b==1']],
  ['uv', 'uv pip install --system', 'all', []],
])('with --upgrade %s looks for newer versions', async (_, command, __, kept) => {
  const { asked, run } = index({ 'a==1': ['a==1', 'b==1'], a: ['a==2', 'b==1'] })
  const text = `FROM python\nRUN ${command} a==1\nRUN ${command} --upgrade a\n`
  expect(pinsOf(await lockedBy(text, run))).toEqual(['a==2', 'b==1'])
  expect(asked[1]?.installed).toEqual(kept)
})

test('constraints hold for the command that names them, and for no other', async () => {
  await writeFile(join(folder, 'limits.txt'), 'b==1')
  const { asked, run } = index({ a: ['a==1'], b: ['b==2'] })
  await lockedBy('FROM python\nCOPY limits.txt /\nRUN pip install -c /limits.txt a\nRUN pip install b\n', run)
  expect(asked.slice(0, 2).map(({ limits }) => limits)).toEqual(['b==1', ''])
})

test('files that name different indexes leave their installs', async () => {
  for (const name of ['a', 'b']) await writeFile(join(folder, name), `--index-url https://${name}.example/\n${name}`)
  const { run } = index({ a: ['a==1'], b: ['b==2'] })
  const lock = await lockedBy('FROM python\nCOPY a b /\nRUN pip install -r /a\nRUN pip install -r /b\n', run)
  expect(lock).toMatchObject({ kind: 'refused', code: 'unknown-option' })
})

test('a file that is no UTF-8 is left to pip, which refuses it', async () => {
  await writeFile(join(folder, 'r.txt'), Buffer.from('# caf\xe9\na\n', 'latin1'))
  const { run } = index({ a: ['a==1'] })
  const lock = await lockedBy('FROM python\nCOPY r.txt /\nRUN pip install -r /r.txt\n', run)
  expect(lock).toMatchObject({ kind: 'refused', code: 'file-not-found' })
})
