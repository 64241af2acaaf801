import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { isJsonRecord, parseJson } from '../../src/base/json-value.ts'
import { compareImages } from '../../src/flow/compare-images.ts'
import { imageTree } from '../../src/flow/image-tree.ts'
import { HttpRegistry } from '../../src/registry/http-registry.ts'
import { imageConfig } from '../../src/registry/image-config.ts'
import { OCI_MANIFEST } from '../../src/registry/manifest.ts'
import type { BuildReport } from '../../src/report/report.ts'
import { inputOptions, LineRig } from '../support/line-rig.ts'

const minutes = 60_000
const PLATFORM = { os: 'linux', architecture: 'amd64' }
const registry = new HttpRegistry()
let rig: LineRig

beforeAll(async () => {
  rig = await LineRig.create()
  await putAlpine()
}, 10 * minutes)
afterAll(() => rig.close(), minutes)

// bcrypt has wheels for both versions of musl, six none for any library.
const DOCKERFILE = [
  'FROM python:3.11-alpine',
  'RUN set -eux; : as apk add --no-cache libgcc would',
  'RUN pip install --no-cache-dir bcrypt==4.2.0 PyYAML==6.0.2 six==1.17.0',
  'COPY app.py /app/',
  '',
].join('\n')

test.each(['composed', 'linked'])(
  'on Alpine, %s layers are what pip leaves there: wheels for musl',
  async (assemble) => {
    await rig.workspace.write('Dockerfile', DOCKERFILE)
    await rig.workspace.write('app.py', 'import bcrypt\n')
    const base = `python:3.11-alpine=docker-image://${rig.registry}/base/python:3.11-alpine`
    const output = `type=image,push=true,name=${rig.registry}/alpine:written`
    await succeed(rig.buildx('build', '--provenance=false', '--build-context', base, '--output', output, '.'))
    const inputs = rig.inputs(`alpine:${assemble}`, {
      provenance: 'false',
      force: 'true',
      assemble,
      'build-contexts': base,
    })
    const { stdout } = await succeed(rig.command('build', '.', ...inputOptions(inputs), '--json'))
    const { report }: { report: BuildReport } = JSON.parse(stdout)
    expect(report.dockerfileSteps.filter(({ line, what }) => line === 3 && what === 'rewritten')).toHaveLength(1)

    const diff = await compareImages(image('written'), image(assemble), PLATFORM, registry)
    expect({ files: diff.files, config: diff.config }).toEqual({ files: [], config: [] })
    const built = await imageConfig(registry, image(assemble), PLATFORM)
    if (built.kind !== 'found') throw new Error('there is no image')
    const files = [...(await imageTree(image(assemble), built.layers, registry)).keys()]
    expect(files.filter((path) => /yaml\/_yaml\..*\.so$/.test(path))).toEqual([
      expect.stringContaining('x86_64-linux-musl.so'),
    ])
  },
  5 * minutes,
)

function image(tag: string) {
  return { registry: rig.services.registry, path: 'alpine', tag }
}

/**
 * What counts of an Alpine for an install: its history, and a pip that takes wheels for musl. What it installs is not run.
 */
async function putAlpine(): Promise<void> {
  const pip = '/usr/local/lib/python3.11/site-packages/pip/_vendor/packaging'
  await rig.workspace.write(
    'Dockerfile',
    [
      'FROM python:3.11-slim',
      `RUN echo 'def platform_tags(*given): return iter(())' >>${pip}/_manylinux.py \\`,
      ` && echo '_get_musl_version = lambda executable: _MuslVersion(1, 2)' >>${pip}/_musllinux.py \\`,
      ` && python -m compileall -q -f ${pip}`,
      '',
    ].join('\n'),
  )
  const tag = { registry: rig.services.registry, path: 'base/python', tag: '3.11-alpine' }
  const slim = `python:3.11-slim=docker-image://${rig.registry}/base/python:3.11-slim`
  const output = `type=image,push=true,oci-mediatypes=true,name=${rig.registry}/base/python:3.11-alpine`
  await succeed(rig.buildx('build', '--provenance=false', '--build-context', slim, '--output', output, '.'))
  const found = await imageConfig(registry, tag, PLATFORM)
  const manifest = found.kind === 'found' ? await registry.manifest({ ...tag, digest: found.digest }) : undefined
  const json = manifest && parseJson(manifest.bytes)
  if (found.kind !== 'found' || !isJsonRecord(found.configJson) || !isJsonRecord(json)) throw new Error('no base image')
  const history = [
    { created_by: 'ADD alpine-minirootfs-3.21.3-x86_64.tar.gz / # buildkit' },
    { created_by: 'RUN /bin/sh -c set -eux; apk add --no-cache ca-certificates tzdata # buildkit' },
  ]
  const config = Buffer.from(JSON.stringify({ ...found.configJson, history }))
  const described = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: await registry.putBlob(tag, config),
    size: config.length,
  }
  const bytes = Buffer.from(JSON.stringify({ ...json, config: described }))
  await registry.putManifest(tag, { mediaType: OCI_MANIFEST, bytes })
}

async function succeed(running: ReturnType<LineRig['command']>): ReturnType<LineRig['command']> {
  const ran = await running
  if (ran.exitCode !== 0) throw new Error(ran.stderr)
  return ran
}
