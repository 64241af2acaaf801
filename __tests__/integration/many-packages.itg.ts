import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { compareImages } from '../../src/flow/compare-images.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import type { BuildReport } from '../../src/report/report.ts'
import { inputOptions, LineRig } from '../support/line-rig.ts'

const minutes = 60_000
let rig: LineRig

beforeAll(async () => {
  rig = await LineRig.create()
}, 10 * minutes)
afterAll(() => rig.close(), minutes)

/** Namespaces that several of these share: google, opentelemetry, sphinxcontrib, jupyter, nvidia, azure, zope, backports. */
const LOCK = join(import.meta.dirname, '../fixtures/many-packages.txt')

test(
  'layers of 350 packages, each installed on its own, are together what one pip install leaves',
  async () => {
    const requirements = await readFile(LOCK, 'utf8')
    await rig.workspace.write('requirements.txt', requirements)
    await rig.workspace.write(
      'Dockerfile',
      'FROM python:3.11-slim\nCOPY requirements.txt /\nRUN pip install --no-cache-dir -r /requirements.txt\n',
    )
    await succeed(() => {
      const base = ['--build-context', `python:3.11-slim=docker-image://${rig.registry}/base/python:3.11-slim`]
      const output = `type=image,push=true,name=${rig.registry}/many:written`
      return rig.buildx('build', '--provenance=false', ...base, '--output', output, '.')
    })
    const { stdout } = await succeed(() => {
      const inputs = rig.inputs('many:layers', { provenance: 'false', 'cache-to': 'off' })
      return rig.command('build', '.', ...inputOptions(inputs), '--json')
    })
    const { report }: { report: BuildReport } = JSON.parse(stdout)
    expect(report.dockerfileSteps.filter(({ line, what }) => line === 3 && what === 'rewritten')).toHaveLength(1)
    const packages = report.layers.flatMap((layer) => layer.packages)
    expect(packages.toSorted()).toEqual(
      requirements
        .trim()
        .split('\n')
        .map((line) => line.replace('==', ' '))
        .toSorted(),
    )
    const [a, b] = ['written', 'layers'].map((tag) => ({ registry: rig.services.registry, path: 'many', tag }))
    if (a === undefined || b === undefined) throw new Error('there are two')
    const diff = await compareImages(a, b, { os: 'linux', architecture: 'amd64' }, new HttpRegistry())
    expect({ files: diff.files, config: diff.config }).toEqual({ files: [], config: [] })
    expect(diff.compared).toBeGreaterThan(50_000)
  },
  15 * minutes,
)

async function succeed(run: () => ReturnType<LineRig['command']>): ReturnType<LineRig['command']> {
  const ran = await run()
  if (ran.exitCode !== 0) throw new Error(ran.stderr)
  return ran
}
