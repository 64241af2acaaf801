import { join } from 'node:path'
import { ImageCacheError } from '../../src/base/errors.ts'
import { createProgress } from '../../src/buildx/progress.ts'
import type { BuildTimeline } from '../../src/buildx/progress-timeline.ts'
import { SpawnExec } from '../../src/exec/spawn-exec.ts'
import type { BuildReport } from '../../src/report/report.ts'
import { splitByHand } from './project.ts'
import type { BuildOrder, Way, WayResult } from './way.ts'

export interface BuildxWayOptions {
  readonly name: string
  readonly title: string
  readonly what: string
  /** The user's own Dockerfile, or that Dockerfile with the install split in two. */
  readonly dockerfile: 'Dockerfile' | 'Dockerfile.chain'
  /** Of image and cache; undefined leaves buildx's default, which is gzip. */
  readonly compression: 'zstd' | undefined
  /** Which layers the cache holds. For a Dockerfile of one stage both hold the same ones. */
  readonly mode: 'min' | 'max'
}

/** Plain `buildx build` that pushes, with a registry cache beside the image. */
export function buildxWay(options: BuildxWayOptions): Way {
  const { name, title, what } = options
  return {
    name,
    title,
    what,
    prepare: async (project, copy) => {
      if (options.dockerfile === 'Dockerfile.chain') await splitByHand(project, copy)
    },
    build: (order) => build(options, order),
  }
}

async function build(options: BuildxWayOptions, order: BuildOrder): Promise<WayResult> {
  const { place, repository } = order
  const progress = createProgress()
  const onStderrLine = (line: string): void => {
    progress.push(line)
    order.onProgress(runningStep(progress.snapshot()))
  }
  const started = performance.now()
  const buildx = join(place.services.stateDir, 'bin', 'buildx')
  const result = await new SpawnExec().run(buildx, buildxArguments(options, order), {
    env: place.services.env,
    signal: place.signal,
    onStderrLine,
  })
  const seconds = (performance.now() - started) / 1000
  const timeline = progress.snapshot()
  if (result.exitCode !== 0) {
    const last = result.stderr.trim().split('\n').at(-1) ?? ''
    throw new ImageCacheError('E_BUILD', `plain buildx failed: ${timeline.failed?.message ?? last}`)
  }
  return { seconds, report: reportOf(repository, options.what, seconds, timeline) }
}

/** Arguments of the build, in a fixed order. */
export function buildxArguments(
  { dockerfile, compression, mode }: BuildxWayOptions,
  {
    place,
    copy,
    repository,
  }: Pick<BuildOrder, 'copy' | 'repository'> & {
    readonly place: Pick<BuildOrder['place'], 'python'>
  },
): readonly string[] {
  const cache = `type=registry,ref=${repository}:cache`
  const compressed = compression === undefined ? '' : `,compression=${compression}`
  const output = compression === undefined ? ['--push'] : ['--output', `type=image,push=true${compressed}`]
  return [
    'build',
    '--progress=rawjson',
    '--build-context',
    `python:3.11-slim=docker-image://${place.python}`,
    '--cache-from',
    cache,
    '--cache-to',
    `${cache},mode=${mode}${compressed}`,
    ...output,
    '--tag',
    `${repository}:latest`,
    '--file',
    join(copy.folder, dockerfile),
    copy.folder,
  ]
}

/** What a build does just now: its oldest step that still runs. */
export function runningStep(timeline: BuildTimeline): string {
  const running = timeline.steps.findLast(({ intervals }) => {
    const last = intervals.at(-1)
    return last !== undefined && last.end === undefined
  })
  return running?.text ?? ''
}

function reportOf(image: string, reason: string, seconds: number, timeline: BuildTimeline): BuildReport {
  const nothing = { layers: [], dockerfileSteps: [], caches: [], checks: [], warnings: [], inputs: [], stages: [] }
  return { ...nothing, image, tags: [`${image}:latest`], outcome: 'built', reason, seconds, timeline }
}
