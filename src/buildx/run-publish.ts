import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../base/errors.ts'
import type { BuildPlan } from './build-args.ts'
import { type BuildTrouble, buildTrouble } from './build-trouble.ts'
import { mergeTimelines } from './merge-timelines.ts'
import type { BuildTimeline } from './progress-timeline.ts'
import type { PublishSteps } from './publish-steps.ts'
import { type BuildRun, type BuildTools, runBuild, tooLong } from './run-build.ts'

export interface PublishTools extends BuildTools {
  /** Milliseconds that a cache export may go on after the image is pushed. */
  readonly cacheLimit: number
  /** Why the image that was just built leaves nothing to export; asked where the cache waits for the image. */
  readonly nothingToExport: (image: BuildTimeline) => Promise<string | undefined>
  /** Starts a call that outlives this process. */
  readonly startLate: (plan: BuildPlan) => Promise<void>
}

/** What became of the cache's own call, where it had one. */
export type CacheCall =
  | { readonly kind: 'in-image-call' }
  | { readonly kind: 'exported' }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'late' }
  | { readonly kind: 'failed'; readonly reason: string }

export interface PublishRun {
  readonly image: BuildRun
  readonly cache: CacheCall
  /** Of both calls together. */
  readonly timeline: BuildTimeline
  /** What was tried again, one sentence each. */
  readonly notes: readonly string[]
}

/** Pauses before a push is tried again, in milliseconds. */
const PUSH_PAUSES = [1000, 4000] as const
/** What BuildKit has tried again by itself for seconds already (util/resolver/retryhandler). */
const WORN = /: 5\d\d |connection reset|broken pipe|EOF/

/** Runs a build and its cache export in the order of their plan. A cache's own call never makes the image fail. */
export async function runPublish(steps: PublishSteps, tools: PublishTools): Promise<PublishRun> {
  switch (steps.order) {
    case 'one-call':
      return { ...(await buildImage(steps.image, tools)), cache: { kind: 'in-image-call' } }
    case 'together':
      return await buildTogether(steps.image, steps.cache, tools)
    case 'after':
      return await buildAfter(steps.image, steps.cache, tools)
    case 'post': {
      const started = await tools.startLate(steps.cache).then(
        (): CacheCall => ({ kind: 'late' }),
        (error: unknown): CacheCall => ({ kind: 'failed', reason: messageOf(error) }),
      )
      return { ...(await buildImage(steps.image, tools)), cache: started }
    }
  }
}

type ImageCall = Pick<PublishRun, 'image' | 'timeline' | 'notes'>

async function buildTogether(image: BuildPlan, cache: BuildPlan, tools: PublishTools): Promise<PublishRun> {
  const stop = new AbortController()
  const exporting = exportCache(cache, tools, stop)
  const built = await buildImage(image, tools).catch((error: unknown) => {
    stop.abort()
    throw error
  })
  if (built.image.kind === 'failed') {
    stop.abort()
    await exporting
    return { ...built, cache: { kind: 'failed', reason: 'there is no image' } }
  }
  return withCache(built, await limited(exporting, tools.cacheLimit, stop))
}

async function buildAfter(image: BuildPlan, cache: BuildPlan, tools: PublishTools): Promise<PublishRun> {
  const built = await buildImage(image, tools)
  if (built.image.kind === 'failed') return { ...built, cache: { kind: 'failed', reason: 'there is no image' } }
  const reason = await tools.nothingToExport(built.timeline)
  if (reason !== undefined) return { ...built, cache: { kind: 'skipped', reason } }
  const stop = new AbortController()
  return withCache(built, await limited(exportCache(cache, tools, stop), tools.cacheLimit, stop))
}

/** Builds the image; what may pass is tried again, and only what failed is then sent: the builder has the rest. */
async function buildImage(plan: BuildPlan, tools: PublishTools): Promise<ImageCall> {
  const notes: string[] = []
  const tried: Record<BuildTrouble, number> = { 'import-lost': 0, push: 0, 'shared-graph': 0, other: 0 }
  let current = plan
  while (true) {
    const run = await runBuild(current, { ...tools, exportLimit: tools.cacheLimit })
    if (run.kind === 'built') return { image: run, timeline: run.timeline, notes }
    const trouble = buildTrouble(run.timeline, current.cacheFrom.length)
    const again = againPlan(current, trouble, tried[trouble], run.error.message)
    if (again === undefined) return { image: run, timeline: run.timeline, notes }
    tried[trouble] += 1
    notes.push(`${again.note}: ${run.error.message}`)
    if (again.wait > 0) await pause(again.wait, undefined, { signal: tools.signal }).catch(() => undefined)
    current = again.plan
  }
}

interface Again {
  readonly plan: BuildPlan
  readonly note: string
  /** Milliseconds. */
  readonly wait: number
}

function againPlan(plan: BuildPlan, trouble: BuildTrouble, times: number, said: string): Again | undefined {
  switch (trouble) {
    case 'import-lost':
      if (times > 0) return undefined
      return { plan: { ...plan, cacheFrom: [] }, note: 'built again without imported caches', wait: 0 }
    case 'shared-graph':
      return times > 0 ? undefined : { plan, note: 'tried again, the builder mixed up shared steps', wait: 0 }
    case 'push': {
      const wait = WORN.test(said) && times > 0 ? undefined : PUSH_PAUSES[times]
      return wait === undefined ? undefined : { plan, note: 'pushed again', wait }
    }
    case 'other':
      return undefined
  }
}

interface CacheRun {
  readonly call: CacheCall
  readonly timeline: BuildTimeline | undefined
}

/** The call for the cache: whatever happens to it is told, not thrown. */
async function exportCache(plan: BuildPlan, tools: PublishTools, stop: AbortController): Promise<CacheRun> {
  const quiet = { ...tools, signal: AbortSignal.any([tools.signal, stop.signal]), onProgress: () => undefined }
  try {
    let run = await runBuild(plan, quiet)
    const trouble = run.kind === 'failed' ? buildTrouble(run.timeline, plan.cacheFrom.length) : undefined
    if (trouble === 'shared-graph') run = await runBuild(plan, quiet)
    if (trouble === 'import-lost') run = await runBuild({ ...plan, cacheFrom: [] }, quiet)
    const failed = run.timeline.cacheExports.find(({ error }) => error !== undefined)?.error
    const reason = run.kind === 'failed' ? run.error.message : failed
    return { call: reason === undefined ? { kind: 'exported' } : { kind: 'failed', reason }, timeline: run.timeline }
  } catch (error) {
    return { call: { kind: 'failed', reason: messageOf(error) }, timeline: undefined }
  }
}

/** Waits for an export, but not longer than the limit: then it is ended. */
async function limited(exporting: Promise<CacheRun>, limit: number, stop: AbortController): Promise<CacheRun> {
  const over = new AbortController()
  const late = pause(limit, 'late' as const, { signal: over.signal }).catch(() => 'late' as const)
  const first = await Promise.race([exporting, late])
  over.abort()
  if (first !== 'late') return first
  stop.abort()
  await exporting
  return { call: { kind: 'failed', reason: tooLong(limit) }, timeline: undefined }
}

function withCache(built: ImageCall, { call, timeline }: CacheRun): PublishRun {
  return {
    ...built,
    cache: call,
    timeline: timeline === undefined ? built.timeline : mergeTimelines(built.timeline, timeline),
  }
}
