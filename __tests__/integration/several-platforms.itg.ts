import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isJsonList, isJsonRecord, parseJson } from '../../src/base/json-value.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { imageConfig } from '../../src/registry/image-config.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { BuildReport } from '../../src/report/report.ts'
import { inputOptions, LineRig } from '../support/line-rig.ts'

const minutes = 60_000
/** As users have it who want the builder to make the image as a whole. */
const LINKED = { provenance: 'false', assemble: 'linked' }
const registry = new HttpRegistry()
let rig: LineRig

beforeAll(async () => {
  rig = await LineRig.create()
  await putBaseOfTwo()
}, 10 * minutes)
afterAll(() => rig.close(), minutes)

test(
  'a build for two platforms makes the same layers for both, each with its own wheels, and runs nothing of the other',
  async () => {
    const dockerfile = 'FROM python:3.11-slim\nRUN pip install numpy==2.4.0 six==1.17.0\nCOPY src/ /app/\n'
    await rig.workspace.write('Dockerfile', dockerfile)
    await rig.workspace.write('src/main.py', 'import numpy\n')
    const cold = await build('one', LINKED)
    expect(cold.dockerfileSteps.filter(({ what }) => what === 'rewritten')).toHaveLength(1)
    const [amd64, arm64] = [await image('one', 'amd64'), await image('one', 'arm64')]
    expect(arm64.layers.length).toBe(amd64.layers.length)
    // six is the same for both, numpy is not.
    const shared = arm64.layers.filter(({ digest }) => amd64.layers.some((layer) => layer.digest === digest))
    expect(arm64.layers.length - shared.length).toBe(1)
    expect([await machine('one', 'amd64'), await machine('one', 'arm64')]).toEqual([62, 183])

    // A light package more: one layer for both platforms, on an emptied builder.
    await rig.services.emptyBuilder()
    await rig.workspace.write('Dockerfile', dockerfile.replace('six', 'idna==3.11 six'))
    await build('two', LINKED)
    for (const [before, architecture] of [[amd64, 'amd64'] as const, [arm64, 'arm64'] as const]) {
      const { layers } = await image('two', architecture)
      const known = new Set(before.layers.map(({ digest }) => digest))
      expect(layers.filter(({ digest }) => !known.has(digest)).length).toBe(1)
    }
  },
  5 * minutes,
)

test(
  'an image for two platforms is put together, and only what changed is built, for both in one call',
  async () => {
    const dockerfile =
      'FROM python:3.11-slim\nWORKDIR /app\nRUN pip install numpy==2.4.0 six==1.17.0\nCOPY src/ /app/\n'
    await rig.workspace.write('Dockerfile', dockerfile)
    const options = { provenance: 'true', sbom: 'true' }
    const cold = await build('composed', options)
    expect(cold.checks).toContainEqual(
      expect.objectContaining({ what: 'assembly', detail: expect.stringMatching(/^composed/) }),
    )
    const [amd64, arm64] = [await image('composed', 'amd64'), await image('composed', 'arm64')]
    expect([await machine('composed', 'amd64'), await machine('composed', 'arm64')]).toEqual([62, 183])
    // Statements about both images lie beside them, as BuildKit lays them.
    const found = await registry.manifest({ registry: rig.services.registry, path: 'platforms', tag: 'composed' })
    const index = found && parseJson(found.bytes)
    const children = isJsonRecord(index) && isJsonList(index.manifests) ? index.manifests.filter(isJsonRecord) : []
    expect(children.map(({ platform }) => Object(platform).architecture)).toEqual([
      'amd64',
      'arm64',
      'unknown',
      'unknown',
    ])
    expect(children.slice(2).map(({ annotations }) => Object(annotations)['vnd.docker.reference.digest'])).toEqual([
      amd64.digest,
      arm64.digest,
    ])

    // A light package less on an emptied builder: one layer for each platform, and nothing heavy comes to the builder.
    await rig.services.emptyBuilder()
    await rig.workspace.write('Dockerfile', dockerfile.replace('six==1.17.0', 'six==1.16.0'))
    const light = await build('composed-light', options)
    expect(light.layers.map(({ state }) => state).toSorted()).toEqual(['built', 'reused'])
    for (const [before, architecture] of [[amd64, 'amd64'] as const, [arm64, 'arm64'] as const]) {
      const { layers } = await image('composed-light', architecture)
      const known = new Set(before.layers.map(({ digest }) => digest))
      expect(layers.filter(({ digest }) => !known.has(digest)).length).toBe(1)
      // The base image's own layer is the installer image's, too.
      const own = before.layers.slice(1)
      expect(own.map(({ digest }) => light.traffic.byBlob[digest]?.pulledBytes ?? 0)).toEqual(own.map(() => 0))
    }

    // For one platform alone the layers are the same ones: nothing is built.
    const alone = await build('composed-alone', { ...options, platforms: 'linux/arm64', force: 'true' })
    expect(alone.layers.map(({ state }) => state)).toEqual(['reused', 'reused'])
  },
  5 * minutes,
)

test(
  'with verify, each platform is compared with the Dockerfile as it is written',
  async () => {
    const checked = { provenance: 'false', verify: 'true' }
    await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nRUN pip install six==1.17.0\n')
    const { checks } = await build('verified', checked)
    const detail = expect.stringMatching(/^verified: .*, on linux\/amd64 and linux\/arm64$/)
    expect(checks).toContainEqual(expect.objectContaining({ what: 'verify', detail }))
    // The second base says arm64 and runs this machine's Python, so pip takes wheels there that aren't for arm64.
    await rig.workspace.write('Dockerfile', 'FROM python:3.11-slim\nRUN pip install PyYAML==6.0.2\n')
    await expect(build('different', checked)).rejects.toThrow(/E_VERIFY.*_yaml\..*--platform linux\/arm64/s)
  },
  5 * minutes,
)

/** The rig's base image as an index whose second image says arm64; nothing in it is run. */
async function putBaseOfTwo(): Promise<void> {
  const base = { registry: rig.services.registry, path: 'base/python' }
  const amd64 = { os: 'linux', architecture: 'amd64' }
  const found = await imageConfig(registry, { ...base, tag: '3.11-slim' }, amd64)
  if (found.kind !== 'found' || !isJsonRecord(found.configJson)) throw new Error('there is no base image')
  const manifest = await registry.manifest({ ...base, digest: found.digest })
  const json = manifest && parseJson(manifest.bytes)
  if (manifest === undefined || !isJsonRecord(json)) throw new Error('there is no manifest')
  const config = Buffer.from(JSON.stringify({ ...found.configJson, architecture: 'arm64' }))
  const digest = await registry.putBlob(base, config)
  const other = Buffer.from(
    JSON.stringify({ ...json, config: { ...Object(json.config), digest, size: config.length } }),
  )
  const put = await registry.putManifest({ ...base, tag: 'arm64' }, { mediaType: manifest.mediaType, bytes: other })
  const manifests = [
    { mediaType: manifest.mediaType, digest: found.digest, size: manifest.bytes.length, platform: amd64 },
    {
      mediaType: manifest.mediaType,
      digest: put,
      size: other.length,
      platform: { os: 'linux', architecture: 'arm64' },
    },
  ]
  expect(manifest.mediaType).toBe(OCI_MANIFEST)
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }))
  await registry.putManifest({ ...base, tag: 'both' }, { mediaType: OCI_INDEX, bytes: index })
}

async function build(tag: string, more: Readonly<Record<string, string>> = {}) {
  const inputs = rig.inputs(`platforms:${tag}`, {
    'build-contexts': `python:3.11-slim=docker-image://${rig.registry}/base/python:both`,
    platforms: 'linux/amd64,linux/arm64',
    ...more,
  })
  const { exitCode, stdout, stderr, traffic } = await rig.command('build', '.', ...inputOptions(inputs), '--json')
  if (exitCode !== 0) throw new Error(stderr)
  const { report }: { report: BuildReport } = JSON.parse(stdout)
  return { ...report, traffic }
}

async function image(tag: string, architecture: string) {
  const reference = { registry: rig.services.registry, path: 'platforms', tag }
  const found = await imageConfig(registry, reference, { os: 'linux', architecture })
  if (found.kind !== 'found') throw new Error(`there is no image for ${architecture}`)
  return found
}

/** The machine that numpy's code is for (ELF header, `e_machine`). */
async function machine(tag: string, architecture: string): Promise<number> {
  const core = '/usr/local/lib/python3.11/site-packages/numpy/_core'
  await rig.workspace.write(
    `elf/Dockerfile`,
    `FROM ${rig.registry}/platforms:${tag} AS image\nFROM scratch\nCOPY --from=image ${core}/_simd.*.so /simd.so\n`,
  )
  const dest = join(rig.workspace.temp, `elf-${tag}-${architecture}`)
  const folder = join(rig.workspace.workspace, 'elf')
  const run = await rig.buildx(
    'build',
    '--platform',
    `linux/${architecture}`,
    '--output',
    `type=local,dest=${dest}`,
    folder,
  )
  if (run.exitCode !== 0) throw new Error(run.stderr)
  return (await readFile(join(dest, 'simd.so'))).readUInt16LE(18)
}
