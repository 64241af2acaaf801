import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ONE_LIGHT_MORE, REQUIREMENTS } from '../support/line-project.ts'
import { inputOptions, LineRig, movedBytes } from '../support/line-rig.ts'
import { dependencyLayers, type OciLayer, readImage } from '../support/oci-image.ts'

const minutes = 60_000
const DOCKERFILE = `FROM python:3.11-slim
RUN useradd -m app
USER app
WORKDIR /home/app/src
COPY --chown=app requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
`

/** What one build on an emptied builder did for the dependencies. */
interface Generation {
  readonly groupRuns: number
  readonly pulled: number
  readonly layers: readonly OciLayer[]
}

let rig: LineRig
let cold: Generation
let unchanged: Generation
let light: Generation

beforeAll(async () => {
  rig = await LineRig.create()
  await rig.hubBase(1)
  await rig.workspace.write('Dockerfile', DOCKERFILE)
  await rig.workspace.write('requirements.txt', REQUIREMENTS)
  cold = await build([])
  unchanged = await build(cold.layers)
  await rig.workspace.write('requirements.txt', ONE_LIGHT_MORE)
  light = await build(cold.layers)
}, 10 * minutes)
afterAll(() => rig.close(), minutes)

async function build(known: readonly OciLayer[]): Promise<Generation> {
  await rig.services.emptyBuilder()
  const options = inputOptions(rig.inputs('app:v1', {}, 'base/hub:1'))
  const run = await rig.command('build', '.', '--json', '--force', ...options)
  if (run.exitCode !== 0) throw new Error(run.stderr)
  const steps: readonly { readonly stage: string; readonly kind: string }[] = JSON.parse(run.stdout).report.timeline
    .executedRuns
  const groupRuns = steps.filter(({ stage, kind }) => kind === 'run' && /^image-cache-deps-/.test(stage)).length
  const layers = dependencyLayers(await readImage(`${rig.services.registry}/app`, 'v1'))
  return { groupRuns, pulled: movedBytes(run.traffic, known).pulled, layers }
}

test('packages of a user are installed once, and later only the group that changed', () => {
  // The last layer has the folders that they share with the image below.
  expect(cold.groupRuns).toBe(cold.layers.length - 1)
  expect([unchanged.groupRuns, light.groupRuns]).toEqual([0, 1])
})

test('a light change makes one new layer, and pulls none of the others', () => {
  const known = cold.layers.map(({ digest }) => digest)
  expect(unchanged.layers.map(({ digest }) => digest)).toEqual(known)
  expect(light.layers.filter(({ digest }) => !known.includes(digest))).toHaveLength(1)
  expect([unchanged.pulled, light.pulled]).toEqual([0, 0])
})
