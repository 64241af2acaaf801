import { readFile } from 'node:fs/promises'
import type { ImageCacheError } from '../base/errors.ts'
import { redact } from '../base/redact.ts'
import type { Exec } from '../exec/exec.ts'
import { type BuildPlan, buildArgs } from './build-args.ts'
import { buildError } from './build-error.ts'
import { type BuildMetadata, readBuildMetadata } from './build-metadata.ts'
import { isPushed, pushedDigest } from './build-trouble.ts'
import type { BuildxCommand } from './builder.ts'
import { createProgress } from './progress.ts'
import type { BuildTimeline } from './progress-timeline.ts'
import { type PlaceOf, withUserPlaces } from './user-places.ts'

export interface BuildTools {
  readonly exec: Exec
  readonly buildx: BuildxCommand
  readonly signal: AbortSignal
  /** Values that must not be shown. */
  readonly secrets: readonly string[]
  /** Environment that the build's secrets are read from. */
  readonly env: Readonly<Record<string, string>>
  /** Called while the build runs, at most a few times a second. */
  readonly onProgress: (timeline: BuildTimeline) => void
  /** The user's file and line for a line of the Dockerfile that is built; undefined where it is none of theirs. */
  readonly placeOf: PlaceOf
  /** Milliseconds that cache exports may go on once the image is pushed; as long as they take when not given. */
  readonly exportLimit?: number
}

/** A build that ran to its end, well or not; what it had done until then is known in both cases. */
export type BuildRun =
  | { readonly kind: 'built'; readonly timeline: BuildTimeline; readonly metadata: BuildMetadata }
  | { readonly kind: 'failed'; readonly timeline: BuildTimeline; readonly error: ImageCacheError }

/** Lines kept of what each step prints: the log shows them folded. */
const LOG_LINES = 200

/** Milliseconds between two calls of `onProgress`. */
const PROGRESS_EVERY = 200
/** Milliseconds between two looks at how long an export has been going on. */
const LIMIT_EVERY = 500

/** Runs one `buildx build`. Any exit code but 0 is a failure, whatever was printed. */
export async function runBuild(plan: BuildPlan, tools: BuildTools): Promise<BuildRun> {
  const run = await runBuildx(buildArgs(plan), tools)
  if (run.kind === 'failed') return run
  if (run.isCutOff) return { kind: 'built', timeline: run.timeline, metadata: pushedMetadata(run.timeline, plan) }
  const metadata = await readFile(plan.metadataFile, 'utf8').catch(() => '{}')
  return { kind: 'built', timeline: run.timeline, metadata: readBuildMetadata(metadata) }
}

/** A call of buildx that ran to its end. */
export type BuildxRun =
  | {
      readonly kind: 'done'
      readonly timeline: BuildTimeline
      /** The image is pushed, the cache export was ended: buildx then writes no metadata. */
      readonly isCutOff: boolean
    }
  | { readonly kind: 'failed'; readonly timeline: BuildTimeline; readonly error: ImageCacheError }

/** Runs buildx with `--progress=rawjson` among its arguments and reads what it tells. */
export async function runBuildx(args: readonly string[], tools: BuildTools): Promise<BuildxRun> {
  // Commands' output is encoded in the stream: secrets are taken out after decoding.
  const progress = createProgress({ logLines: LOG_LINES, redact: (text) => redact(text, tools.secrets) })
  let shownAt = 0
  const onStderrLine = (line: string): void => {
    progress.push(line)
    const now = performance.now()
    if (now - shownAt < PROGRESS_EVERY) return
    shownAt = now
    tools.onProgress(progress.snapshot())
  }
  const env = { ...tools.env, BUILDX_METADATA_WARNINGS: 'true' }
  const all = [...tools.buildx.prefix, ...args]
  const limit = limitExport(tools.exportLimit, () => progress.snapshot())
  const signal = AbortSignal.any([tools.signal, limit.signal])
  const running = tools.exec.run(tools.buildx.command, all, { onStderrLine, signal, env })
  const result = await running
    .catch((error: unknown) => {
      if (!limit.signal.aborted || tools.signal.aborted) throw error
      return undefined
    })
    .finally(() => limit.end())
  if (result === undefined) return { kind: 'done', timeline: cutOff(progress.snapshot(), tools), isCutOff: true }
  const timeline = withUserPlaces(progress.snapshot(), tools.placeOf)
  tools.onProgress(timeline)
  if (result.exitCode === 0) return { kind: 'done', timeline, isCutOff: false }
  const status = result.signal === null ? `exit code ${result.exitCode}` : `signal ${result.signal}`
  return { kind: 'failed', timeline, error: buildError(timeline, status) }
}

/** Looks after exports that go on when the image is pushed: `signal` is aborted when they have taken too long. */
function limitExport(
  limit: number | undefined,
  look: () => BuildTimeline,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const over = new AbortController()
  if (limit === undefined) return { signal: over.signal, end: () => undefined }
  let since: number | undefined
  const timer = setInterval(() => {
    const timeline = look()
    const isExporting = timeline.cacheExports.some(({ end }) => end === undefined)
    if (!isExporting || !isPushed(timeline)) since = undefined
    else since ??= performance.now()
    if (since !== undefined && performance.now() - since >= limit) over.abort()
  }, LIMIT_EVERY)
  return { signal: over.signal, end: () => clearInterval(timer) }
}

/** Why an export was ended. @param limit milliseconds */
export function tooLong(limit: number): string {
  return `not done ${Math.round(limit / 1000)} s after the image was pushed (cache-timeout)`
}

/** A build whose image is in the registry, and whose cache export was ended. */
function cutOff(running: BuildTimeline, tools: BuildTools): BuildTimeline {
  const error = tooLong(tools.exportLimit ?? 0)
  const cacheExports = running.cacheExports.map((span) =>
    span.end === undefined || /cancell?ed/.test(span.error ?? '')
      ? { ...span, end: span.end ?? running.elapsed, error }
      : span,
  )
  const timeline = withUserPlaces({ ...running, cacheExports }, tools.placeOf)
  tools.onProgress(timeline)
  return timeline
}

function pushedMetadata(timeline: BuildTimeline, { tags }: BuildPlan): BuildMetadata {
  const metadata = { 'containerimage.digest': pushedDigest(timeline), 'image.name': tags.join(',') }
  return readBuildMetadata(JSON.stringify(metadata, null, 2))
}
