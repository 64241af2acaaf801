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
import { type UserPlace, withUserPlaces } from './user-places.ts'

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
  readonly placeOf: (line: number) => UserPlace | undefined
}

/** A build that ran to its end, well or not; what it had done until then is known in both cases. */
export type BuildRun =
  | { readonly kind: 'built'; readonly timeline: BuildTimeline; readonly metadata: BuildMetadata }
  | { readonly kind: 'failed'; readonly timeline: BuildTimeline; readonly error: ImageCacheError }

/** Milliseconds between two calls of `onProgress`. */
const PROGRESS_EVERY = 200

/** Runs one `buildx build`. Any exit code but 0 is a failure, whatever was printed. */
export async function runBuild(plan: BuildPlan, tools: BuildTools): Promise<BuildRun> {
  // Commands' output is encoded in the stream: secrets are taken out after decoding.
  const progress = createProgress({ redact: (text) => redact(text, tools.secrets) })
  let shownAt = 0
  const onStderrLine = (line: string): void => {
    progress.push(line)
    const now = performance.now()
    if (now - shownAt < PROGRESS_EVERY) return
    shownAt = now
    tools.onProgress(progress.snapshot())
  }
  const env = { ...tools.env, BUILDX_METADATA_WARNINGS: 'true' }
  const args = [...tools.buildx.prefix, ...buildArgs(plan)]
  const result = await tools.exec.run(tools.buildx.command, args, { onStderrLine, signal: tools.signal, env })
  const timeline = withUserPlaces(progress.snapshot(), tools.placeOf)
  tools.onProgress(timeline)
  if (result.exitCode !== 0) {
    const status = result.signal === null ? `exit code ${result.exitCode}` : `signal ${result.signal}`
    return { kind: 'failed', timeline, error: buildError(timeline, status) }
  }
  const metadata = await readFile(plan.metadataFile, 'utf8').catch(() => '{}')
  return { kind: 'built', timeline, metadata: readBuildMetadata(metadata) }
}
