import { join } from 'node:path'
import { type CacheService, startCacheService } from '../__tests__/support/cache-service.ts'
import { ImageCacheError } from '../src/base/errors.ts'
import { copyProject, type Project, type ProjectCopy } from '../tools/measure/project.ts'
import type { Workplace } from '../tools/measure/workplace.ts'
import { countingProxy } from '../tools/services/service-set.ts'
import { type ActionRun, expectSuccess, runAction } from './action-process.ts'
import type { TimedResult } from './bench-result.ts'
import { spread } from './statistics.ts'
import { BENCH_WAYS } from './ways.ts'

const ACTION_RUNS = 10
const BUILDX_RUNS = 5

/**
 * The whole action where the image exists already, and beside it a `buildx build --push` whose every step is cached in
 * a registry cache, on an emptied builder as after the start of a job.
 * @param latencyMs what each request to the registry and to the cache service waits
 */
export async function measureExisting(
  place: Workplace,
  project: Project,
  latencyMs: number,
): Promise<readonly TimedResult[]> {
  const cache = await startCacheService({ latency: latencyMs })
  const proxy = await countingProxy(place.services.registry, { latencyMs })
  const near = (reference: string): string => reference.replace(place.proxy.registry, proxy.registry)
  const slow = { ...place, proxy, python: near(place.python), installer: near(place.installer) }
  try {
    const copy = await copyProject(project, join(place.folder, `exists-${latencyMs}`))
    return [await timeAction(slow, copy, cache, latencyMs), await timeBuildx(slow, copy, latencyMs)]
  } finally {
    await Promise.all([cache.close(), proxy.stop()])
    await place.emptyAll()
  }
}

async function timeAction(
  place: Workplace,
  copy: ProjectCopy,
  cache: CacheService,
  latencyMs: number,
): Promise<TimedResult> {
  const run: Omit<ActionRun, 'entry'> = {
    inputs: {
      context: copy.folder,
      tags: `${place.proxy.registry}/image/exists:latest`,
      push: 'true',
      'build-contexts': `python:3.11-slim=docker-image://${place.python}`,
      'installer-image': place.installer,
    },
    env: { ...place.env, ...cache.env(), GITHUB_REPOSITORY: 'org/service', GITHUB_REF: 'refs/heads/main' },
    folder: join(place.folder, 'runner'),
    signal: place.signal,
  }
  const first = expectSuccess(await runAction({ ...run, entry: 'main' }))
  const saved = Object.fromEntries([...first.state].map(([name, value]) => [`STATE_${name}`, value]))
  expectSuccess(await runAction({ ...run, entry: 'post', env: { ...run.env, ...saved } }))
  const seconds: number[] = []
  let counted = { registryRequests: 0, cacheRequests: 0 }
  while (seconds.length < ACTION_RUNS) {
    place.proxy.reset()
    const before = callsOf(cache)
    const result = expectSuccess(await runAction({ ...run, entry: 'main' }))
    if (result.outputs.get('skipped') !== 'true') {
      throw new ImageCacheError('E_BUILD', `the action built an image that exists:\n${result.log}`)
    }
    counted = { registryRequests: place.proxy.snapshot().requests, cacheRequests: callsOf(cache) - before }
    seconds.push(result.seconds)
  }
  return { name: 'action-exists', latencyMs, seconds: spread(seconds), ...counted }
}

async function timeBuildx(place: Workplace, copy: ProjectCopy, latencyMs: number): Promise<TimedResult> {
  const plain = BENCH_WAYS.find(({ name }) => name === 'default')
  if (plain === undefined) throw new RangeError('there is no default way')
  const repository = `${place.proxy.registry}/image/cached`
  const order = { place, copy, repository, onProgress: () => undefined }
  await plain.way.build(order)
  const seconds: number[] = []
  let registryRequests = 0
  while (seconds.length < BUILDX_RUNS) {
    await place.services.emptyBuilder()
    place.proxy.reset()
    seconds.push((await plain.way.build(order)).seconds)
    registryRequests = place.proxy.snapshot().requests
  }
  return { name: 'buildx-cached', latencyMs, seconds: spread(seconds), registryRequests }
}

/** Loading of the bundle: the action started with an input that it refuses at once. */
export async function measureBundle(place: Workplace): Promise<TimedResult> {
  const seconds: number[] = []
  const folder = join(place.folder, 'runner')
  while (seconds.length < ACTION_RUNS) {
    const result = await runAction({ entry: 'main', inputs: { push: 'maybe' }, env: {}, folder, signal: place.signal })
    if (!result.log.includes('"maybe"')) throw new ImageCacheError('E_BUILD', `no refusal of "maybe":\n${result.log}`)
    seconds.push(result.seconds)
  }
  return { name: 'bundle', latencyMs: 0, seconds: spread(seconds) }
}

function callsOf(cache: CacheService): number {
  return Object.values(cache.counts()).reduce((sum, count) => sum + count, 0)
}
