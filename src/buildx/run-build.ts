import { readFile } from 'node:fs/promises'
import type { ImageCacheError } from '../base/errors.ts'
import { redact } from '../base/redact.ts'
import type { Exec } from '../exec/exec.ts'
import { type BuildPlan, buildArgs } from './build-args.ts'
import { buildError } from './build-error.ts'
import { type BuildMetadata, readBuildMetadata } from './build-metadata.ts'
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
}

/** A build that ran to its end, well or not; what it had done until then is known in both cases. */
export type BuildRun =
  | { readonly kind: 'built'; readonly timeline: BuildTimeline; readonly metadata: BuildMetadata }
  | { readonly kind: 'failed'; readonly timeline: BuildTimeline; readonly error: ImageCacheError }

/** Lines kept of what each step prints: the log shows them folded. */
const LOG_LINES = 200

/** Milliseconds between two calls of `onProgress`. */
const PROGRESS_EVERY = 200

/** Runs one `buildx build`. Any exit code but 0 is a failure, whatever was printed. */
export async function runBuild(plan: BuildPlan, tools: BuildTools): Promise<BuildRun> {
  const run = await runBuildx(buildArgs(plan), tools)
  if (run.kind === 'failed') return run
  const metadata = await readFile(plan.metadataFile, 'utf8').catch(() => '{}')
  return { kind: 'built', timeline: run.timeline, metadata: readBuildMetadata(metadata) }
}

/** A call of buildx that ran to its end. */
export type BuildxRun =
  | { readonly kind: 'done'; readonly timeline: BuildTimeline }
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
  const result = await tools.exec.run(tools.buildx.command, all, { onStderrLine, signal: tools.signal, env })
  const timeline = withUserPlaces(progress.snapshot(), tools.placeOf)
  tools.onProgress(timeline)
  if (result.exitCode === 0) return { kind: 'done', timeline }
  const status = result.signal === null ? `exit code ${result.exitCode}` : `signal ${result.signal}`
  return { kind: 'failed', timeline, error: buildError(timeline, status) }
}
