import { expect, test } from '@jest/globals'
import { type BuildPlan, buildArgs } from '../../src/buildx/build-args.ts'
import { readBuildMetadata } from '../../src/buildx/build-metadata.ts'

const plan: BuildPlan = {
  builder: undefined,
  context: '/work',
  dockerfile: '/tmp/Dockerfile',
  target: undefined,
  platforms: [],
  buildArgs: new Map(),
  buildContexts: new Map(),
  labels: new Map(),
  annotations: [],
  secrets: [],
  tags: [],
  outputs: [],
  cacheFrom: [],
  cacheTo: [],
  allow: [],
  provenance: undefined,
  sbom: undefined,
  noCache: false,
  pull: false,
  metadataFile: '/tmp/metadata.json',
}

test('a build of nothing special has nothing special in its arguments', () => {
  expect(buildArgs(plan)).toEqual([
    ...['build', '--progress=rawjson', '--metadata-file', '/tmp/metadata.json', '--file', '/tmp/Dockerfile', '/work'],
  ])
})

test('every part of a plan comes to its flag', () => {
  const args = buildArgs({
    ...plan,
    builder: 'b',
    target: 't',
    platforms: ['linux/amd64', 'linux/arm64'],
    buildArgs: new Map([['A', '1 2']]),
    buildContexts: new Map([['lib', './lib']]),
    labels: new Map([['team', 'ml']]),
    annotations: ['index:team=ml'],
    secrets: ['id=x,src=/tmp/x'],
    tags: ['r/a:1', 'r/a:2'],
    outputs: ['type=image,push=true'],
    cacheFrom: [{ type: 'gha', attributes: new Map() }],
    cacheTo: [{ type: 'gha', attributes: new Map([['mode', 'max']]) }],
    allow: ['network.host'],
    provenance: 'false',
    sbom: 'true',
    noCache: true,
    pull: true,
  }).join(' ')
  for (const part of [
    '--builder b',
    '--target t',
    '--platform linux/amd64,linux/arm64',
    '--build-arg A=1 2',
    '--build-context lib=./lib',
    '--label team=ml',
    '--annotation index:team=ml',
    '--secret id=x,src=/tmp/x',
    '--tag r/a:1 --tag r/a:2',
    '--output type=image,push=true',
    '--cache-from type=gha',
    '--cache-to type=gha,mode=max',
    '--allow network.host',
    '--provenance false',
    '--sbom true',
    '--no-cache',
    '--pull',
  ]) {
    expect(args).toContain(part)
  }
})

test("metadata gives the digest and, where there is one, the configuration's", () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const config = `sha256:${'b'.repeat(64)}`
  expect(readBuildMetadata(JSON.stringify({ 'containerimage.digest': digest }))).toMatchObject({
    digest,
    imageId: digest,
  })
  const both = { 'containerimage.digest': digest, 'containerimage.config.digest': config }
  expect(readBuildMetadata(JSON.stringify(both))).toMatchObject({ digest, imageId: config })
})

test.each(['', '{', '[]', 'null', '{"containerimage.digest": 5}'])('metadata of the form %j tells nothing', (text) => {
  expect(readBuildMetadata(text)).toEqual({ text, digest: undefined, imageId: undefined })
})
