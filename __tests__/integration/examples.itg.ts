import { randomBytes } from 'node:crypto'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { type JobRun, LineRig, movedBytes } from '../support/line-rig.ts'
import { dependencyLayers, readImage } from '../support/oci-image.ts'
import { startStandInIndex } from '../support/stand-in-index.ts'

// Tools and base images are made once, which takes minutes.
jest.setTimeout(900_000)

const EXAMPLES = join(import.meta.dirname, '../../examples')
/** What the service needs of its two large packages; torch is still the largest of all. */
const TORCH = [
  {
    name: 'torch',
    version: '2.15.0+standin',
    files: {
      'torch/__init__.py': `from contextlib import nullcontext as no_grad


def manual_seed(seed):
    pass


def tensor(rows):
    return rows
`,
      'torch/lib/libtorch.so': randomBytes(8e6),
    },
  },
  {
    name: 'transformers',
    version: '5.23.0+standin',
    files: {
      'transformers/__init__.py': `class BertConfig:
    def __init__(self, **settings):
        pass


class States(list):
    def mean(self, dim):
        return [self]

    def tolist(self):
        return [sum(self) / len(self), float(len(self))]


class BertModel:
    def __init__(self, config):
        pass

    def eval(self):
        return self

    def __call__(self, input_ids):
        self.last_hidden_state = States(input_ids[0])
        return self
`,
    },
  },
]

let line: LineRig

beforeAll(async () => {
  line = await LineRig.create()
  await cp(EXAMPLES, line.workspace.workspace, { recursive: true })
})
afterAll(() => line.close())

test('sklearn-service: packages become layers, and the second build is none', async () => {
  // Small packages in the place of large ones; the Dockerfile and the source are those of the example.
  await line.workspace.write('sklearn-service/requirements.txt', 'six==1.17.0\nidna==3.11\n')
  const image = await built('sklearn-service')
  expect(image.groups.length).toBeGreaterThan(0)
  expect(await line.runInside(image.reference, 'ls /app/app && python -c "import six, idna"')).toContain('main.py')
})

test('torch-service: torch has a layer of its own, which an added package leaves alone', async () => {
  const index = await startStandInIndex(TORCH)
  try {
    const wanted = await readFile(join(EXAMPLES, 'torch-service/requirements.txt'), 'utf8')
    // The example's own versions: a stand-in's local version is the newest of them.
    const lines = `--extra-index-url ${index.url}\n${wanted}`
    await line.workspace.write('torch-service/requirements.txt', lines)
    const image = await built('torch-service')
    const vector = 'cd /app && python -c "from app.main import Text, vector; print(vector(Text(text=\'ab\')))"'
    expect(await line.runInside(image.reference, vector)).toContain("{'vector': [97.5, 2.0]}")

    await line.workspace.write('torch-service/requirements.txt', `${lines}six==1.17.0\n`)
    const second = await built('torch-service')
    expect(image.plan).toContainEqual(expect.objectContaining({ packages: ['torch==2.15.0+standin'] }))
    expect(image.groups.filter((digest) => second.groups.includes(digest)).length).toBeGreaterThan(0)
    expect(second.largest).toBe(image.largest)
  } finally {
    await index.close()
  }
})

test('poetry-service: what the lock says becomes layers of the final image', async () => {
  const image = await built('poetry-service')
  expect(image.groups.length).toBeGreaterThan(0)
  const call = 'cd /app && which uvicorn && python -c "import service.main as m; print(m.app.routes)"'
  expect(await line.runInside(image.reference, call)).toMatch(/\/app\/.venv\/bin\/uvicorn\n.*hello/)
})

describe('uv-workspace', () => {
  test('has two images that share the layer of what both need', async () => {
    const inputs = { context: 'uv-workspace', layers: 'numpy' }
    const api = await built('api', { ...inputs, file: 'uv-workspace/api/Dockerfile' })
    const worker = await built('worker', { ...inputs, file: 'uv-workspace/worker/Dockerfile' })
    const common = api.groups.filter((digest) => worker.groups.includes(digest))
    expect(common.length).toBeGreaterThan(0)
    const run = 'cd /app && echo 0,0 3,4 | python -m worker'
    expect(await line.runInside(worker.reference, run)).toContain('5.0')
    const call = 'cd /app && python -c "import api; print(api.of(api.Points(a=[0, 0], b=[6, 8])))"'
    expect(await line.runInside(api.reference, call)).toContain("{'distance': 10.0}")
  })
})

test('script: is built with the packages that it names, and stays as it is written', async () => {
  const image = await built('script', {
    'build-contexts': `ghcr.io/astral-sh/uv:0.13.8-python3.11-trixie-slim=docker-image://${line.registry}/base/uv:python3.11`,
  })
  expect(image.groups).toEqual([])
  expect(await line.runInside(image.reference, 'python /app/report.py straße.example')).toContain(
    'xn--strae-oqa.example',
  )
})

test('node-service: a changed source pulls nothing of what is below it', async () => {
  const npm = 'mkdir -p node_modules/ms && cp package-lock.json node_modules/ms/'
  const folder = 'node-stand-in'
  const script = `RUN printf '#!/bin/sh\\n${npm}\\n' > /usr/local/bin/npm && chmod +x /usr/local/bin/npm`
  await line.workspace.write(`${folder}/Dockerfile`, `FROM ${line.registry}/base/python:3.11-slim\n${script}\n`)
  const node = `${line.registry}/base/node:24-slim`
  const made = await line.buildx('build', '--provenance=false', '--push', '--tag', node, folder)
  expect(made.exitCode === 0 ? '' : made.stderr).toBe('')
  const options = { 'build-contexts': `node:24-slim=docker-image://${node}`, 'link-copies': 'all' }
  const image = await built('node-service', options)
  expect(await line.runInside(image.reference, 'ls /app /app/node_modules/ms && pwd')).toMatch(
    /src\n[\s\S]*package-lock\.json\n\/app\n/,
  )
  const before = await readImage(`${line.services.registry}/examples/node-service`, '1')

  await line.services.emptyBuilder()
  await line.workspace.write('node-service/src/main.js', 'console.log("changed")\n')
  const changed = await line.run(line.inputs('examples/node-service:2', { context: 'node-service', ...options }))
  expect(errorsOf(changed)).toEqual([])
  expect(movedBytes(changed.traffic, before.layers).pulled).toBe(0)
  const after = await readImage(`${line.services.registry}/examples/node-service`, '2')
  const known = new Set(before.layers.map(({ digest }) => digest))
  expect(after.layers.filter(({ digest }) => !known.has(digest))).toHaveLength(1)
})

/** Builds an example, sees that it is found the next time, and answers what was built. */
async function built(name: string, more: Readonly<Record<string, string>> = {}) {
  const inputs = line.inputs(`examples/${name}:1`, { context: name, ...more })
  const first = await line.run(inputs)
  expect(errorsOf(first)).toEqual([])
  expect(first.outputs.get('skipped')).toBe('false')
  const second = await line.run(inputs)
  expect([second.outputs.get('skipped'), second.outputs.get('digest')]).toEqual(['true', first.outputs.get('digest')])
  const image = await readImage(`${line.services.registry}/examples/${name}`, '1')
  const layers = dependencyLayers(image)
  const largest = layers.toSorted((a, b) => b.size - a.size)[0]?.digest
  const plan: unknown = JSON.parse(first.outputs.get('plan') ?? '[]')
  return { groups: layers.map(({ digest }) => digest), largest, plan, reference: `${line.registry}/examples/${name}:1` }
}

function errorsOf(run: JobRun): readonly string[] {
  const said = run.annotations.filter(({ level }) => level === 'error').map((line) => JSON.stringify(line))
  return run.exitCode === 0 ? said : [`exit code ${run.exitCode}`, ...said]
}
