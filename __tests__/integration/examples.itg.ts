import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { type JobRun, LineRig } from '../support/line-rig.ts'
import { dependencyLayers, readImage } from '../support/oci-image.ts'

// Tools and base images are made once, which takes minutes.
jest.setTimeout(900_000)

const EXAMPLES = join(import.meta.dirname, '../../examples')
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

test('node-service: is built as it is written', async () => {
  const npm = 'mkdir -p node_modules/ms && cp package-lock.json node_modules/ms/'
  const folder = 'node-stand-in'
  const script = `RUN printf '#!/bin/sh\\n${npm}\\n' > /usr/local/bin/npm && chmod +x /usr/local/bin/npm`
  await line.workspace.write(`${folder}/Dockerfile`, `FROM ${line.registry}/base/python:3.11-slim\n${script}\n`)
  const node = `${line.registry}/base/node:24-slim`
  const made = await line.buildx('build', '--provenance=false', '--push', '--tag', node, folder)
  expect(made.exitCode === 0 ? '' : made.stderr).toBe('')
  const image = await built('node-service', { 'build-contexts': `node:24-slim=docker-image://${node}` })
  expect(await line.runInside(image.reference, 'ls /app /app/node_modules/ms')).toMatch(
    /src\n[\s\S]*package-lock\.json/,
  )
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
  const groups = dependencyLayers(image).map(({ digest }) => digest)
  return { groups, reference: `${line.registry}/examples/${name}:1` }
}

function errorsOf(run: JobRun): readonly string[] {
  const said = run.annotations.filter(({ level }) => level === 'error').map((line) => JSON.stringify(line))
  return run.exitCode === 0 ? said : [`exit code ${run.exitCode}`, ...said]
}
