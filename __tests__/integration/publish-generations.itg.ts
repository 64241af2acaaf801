import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { baseImages } from '../../tools/services/service-set.ts'
import { PublishRig } from '../support/publish-rig.ts'

const minutes = 60_000

/**
 * Groups that are installed by a command, on a builder image of their own, linked onto a base in gzip that shares no layer
 * with it: all that it takes for BuildKit to export records without results (docs/caching.md).
 */
const DOCKERFILE = `FROM --platform=$BUILDPLATFORM installer AS group-1
RUN mkdir -p /layer/opt/one && echo one > /layer/opt/one/file
FROM --platform=$BUILDPLATFORM installer AS group-2
ARG LIGHT=one
RUN mkdir -p /layer/opt/two && echo $LIGHT > /layer/opt/two/file
FROM base
COPY --link --from=group-1 /layer/ /
COPY --link --from=group-2 /layer/ /
COPY --link source.txt /app/
`
const NAMES = ['cold', 'unchanged', 'unchanged', 'light', 'unchanged', 'patched base', 'unchanged', 'source'] as const

const PLATFORMS = 'linux/amd64,linux/arm64'

describe.each(['v0.33.1', 'v0.27.1'] as const)('eight builds in a row on emptied builders %s', (buildkit) => {
  let rig: PublishRig
  beforeAll(async () => {
    rig = await PublishRig.create({ buildkit })
    await makeBases(rig)
  }, 5 * minutes)
  afterAll(() => rig.close(), minutes)

  const publish = buildkit === 'v0.33.1' ? 'parallel' : 'two-clients'

  test(
    `run a group when it changed and never again, for two platforms, publish: ${publish}`,
    async () => {
      const runs: number[] = []
      let [base, light, source] = [1, 'one', 'first']
      for (const generation of NAMES) {
        if (generation === 'light') light = 'two'
        if (generation === 'patched base') base = 2
        if (generation === 'source') source = 'second'
        const build = { platforms: PLATFORMS, publish, base, light, source }
        runs.push(await runsOf(rig, 'app', build))
      }
      expectRuns(runs, [2, 0, 0, 1, 0, 0, 0, 0])
    },
    8 * minutes,
  )

  test(
    'two branches in turn: each finds its own cache and the default branch’s, and undoes neither',
    async () => {
      const branch = { platforms: PLATFORMS, publish: 'auto', base: 1, light: 'one', source: 'main' }
      const dev = { ...branch, light: 'dev', source: 'dev' }
      const runs: number[] = []
      for (const [ref, build] of [
        ['main', branch],
        ['dev', dev],
        ['main', branch],
        ['dev', dev],
        ['main', { ...branch, source: 'main 2' }],
        ['dev', { ...dev, source: 'dev 2' }],
      ] as const) {
        runs.push(await runsOf(rig, 'branches', build, jobOf(ref)))
      }
      expectRuns(runs, [2, 1, 0, 0, 0, 0])
    },
    8 * minutes,
  )

  test(
    'a cache that others wrote is imported as a tidied copy: the first build with it runs no group',
    async () => {
      const build = { platforms: 'linux/amd64', publish: 'auto', base: 1, light: 'others', source: 'others' }
      await writeProject(rig, 'others')
      const cache = `type=registry,ref=${rig.images.registry}/others:theirs`
      for (const _ of [1, 2]) {
        await rig.services.emptyBuilder()
        await rig.buildx(
          ...['build', '--provenance=false', ...contexts(rig, 1), '--build-arg', 'LIGHT=others'],
          ...['--cache-from', cache, '--cache-to', `${cache},mode=min,image-manifest=true,compression=zstd`],
          ...['--output', `type=image,push=true,name=${rig.images.registry}/others:v1,compression=zstd`, '.'],
        )
      }
      const theirs = await digestOf(rig, 'theirs')
      const only = { 'cache-from': cache, 'cache-to': 'off' }
      expectRuns([await runsOf(rig, 'others', build, {}, only), await runsOf(rig, 'others', build, {}, only)], [0, 0])
      expect(await digestOf(rig, 'theirs')).toBe(theirs)
    },
    5 * minutes,
  )
})

/**
 * Compares how many groups ran in each of several builds. BuildKit now and then runs a plain command again whose result a
 * cache has (docs/caching.md, "The trap"): one build of a row may.
 */
function expectRuns(runs: readonly number[], expected: readonly number[]): void {
  const others = runs.flatMap((count, at) => (count === expected[at] ? [] : [`build ${at + 1} ran ${count}`]))
  expect(others.slice(1)).toEqual([])
  expect(runs).toHaveLength(expected.length)
}

interface Build {
  readonly platforms: string
  readonly publish: string
  readonly base: number
  readonly light: string
  readonly source: string
}

/** Builds on an emptied builder and answers how many groups ran. */
async function runsOf(
  rig: PublishRig,
  name: string,
  { platforms, publish, base, light, source }: Build,
  env: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string>> = {},
): Promise<number> {
  await writeProject(rig, source)
  await rig.services.emptyBuilder()
  const inputs = {
    platforms,
    publish,
    'build-args': `LIGHT=${light}`,
    'build-contexts': `installer=docker-image://${rig.images.registry}/installer:1\nbase=docker-image://${rig.images.registry}/base:${base}`,
    'optimize-layers': 'false',
    ...more,
  }
  const run = await rig.build(`$/${name}:v1`, inputs, env)
  if (run.exitCode !== 0) throw new Error(run.stderr)
  return run.report.timeline?.executedRuns.filter(({ kind }) => kind === 'run').length ?? -1
}

async function writeProject(rig: PublishRig, source: string): Promise<void> {
  await rig.write('Dockerfile', DOCKERFILE)
  await rig.write('source.txt', source)
}

function contexts(rig: PublishRig, base: number): readonly string[] {
  const image = (name: string) => `docker-image://${rig.images.registry}/${name}`
  return ['--build-context', `installer=${image('installer:1')}`, '--build-context', `base=${image(`base:${base}`)}`]
}

/** Two bases of one layer for two platforms, in gzip, and an image in which commands run. */
async function makeBases(rig: PublishRig): Promise<void> {
  const { python } = await baseImages(rig.services.registry)
  const push = (name: string) => `type=image,push=true,name=${rig.images.registry}/${name},compression=gzip`
  await rig.write('Dockerfile', `FROM ${python}\n`)
  await rig.buildx('build', '--provenance=false', '--output', push('installer:1'), '.')
  for (const patch of [1, 2]) {
    await rig.write('Dockerfile', 'FROM scratch\nCOPY patch /etc/patch\n')
    await rig.write('patch', `patch ${patch}\n`)
    const both = ['--platform', 'linux/amd64,linux/arm64', '--provenance=false']
    await rig.buildx('build', ...both, '--output', push(`base:${patch}`), '.')
  }
}

/** The environment of a job on a branch. */
function jobOf(branch: string): Record<string, string> {
  return { GITHUB_ACTIONS: 'true', GITHUB_EVENT_NAME: 'push', GITHUB_REF: `refs/heads/${branch}` }
}

async function digestOf(rig: PublishRig, tag: string): Promise<string | null> {
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const answer = await fetch(`http://${rig.services.registry}/v2/others/manifests/${tag}`, { headers: { accept } })
  return answer.headers.get('docker-content-digest')
}
