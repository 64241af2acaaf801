import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { composeImage } from '../../src/assemble/image-manifest.ts'
import { planAnnotations, recallPlan } from '../../src/flow/plan-memory.ts'
import { nativePlatform } from '../../src/flow/source.ts'
import { parseBuildInputs } from '../../src/inputs/build-inputs.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import { NoStore } from '../../src/stores/no-store.ts'
import { lockedPackage } from '../support/locked-package.ts'
import { type RegistryFake, startRegistryFake } from '../support/registry-fake.ts'

let fake: RegistryFake
beforeEach(async () => {
  fake = await startRegistryFake()
})
afterEach(() => fake.close())

const deps = { store: new NoStore('switched off'), registry: new HttpRegistry({ sleep: async () => undefined }) }
const group = (...names: readonly string[]) => ({
  packages: names.map((name) => lockedPackage(name)),
  size: 1,
  changeRate: 0.1,
  reason: 'for the test',
})

function inputs() {
  const given: Readonly<Record<string, string>> = { tags: `${fake.host}/app:new,${fake.host}/app:v1`, push: 'true' }
  return parseBuildInputs((name) => given[name] ?? '')
}

/** A composed image under `app:v1` that keeps the plan of stage 2. */
async function put(annotations: Readonly<Record<string, string>>): Promise<void> {
  const [os = '', architecture = ''] = nativePlatform().split('/')
  const image = composeImage(JSON.stringify({ os, architecture }), [], '2026-11-21T12:00:00Z', annotations)
  await deps.registry.putBlob({ registry: fake.host, path: 'app' }, image.config)
  const reference = { registry: fake.host, path: 'app', tag: 'v1' }
  await deps.registry.putManifest(reference, { mediaType: OCI_MANIFEST, bytes: image.manifest })
}

test('the plan of the last image comes from the image where the store has forgotten it', async () => {
  const plan = { groups: [group('torch', 'sympy'), group('idna')] }
  await put(planAnnotations({ layers: [{ stage: 2, plan }] }))
  const recalled = await recallPlan(inputs(), 2, deps)
  expect(recalled?.groups.map((one) => [...one.keys()])).toEqual([['torch', 'sympy'], ['idna']])
  expect(await recallPlan(inputs(), 0, deps)).toBeUndefined()
})

test('there is none where no image is, where it keeps none, and where the registry does not answer', async () => {
  expect(await recallPlan(inputs(), 2, deps)).toBeUndefined()
  await put({ 'image-cache.plan.2': 'something else' })
  expect(await recallPlan(inputs(), 2, deps)).toBeUndefined()
  fake.fail('GET manifests', { kind: 'status', status: 403 })
  expect(await recallPlan(inputs(), 2, deps)).toBeUndefined()
})
