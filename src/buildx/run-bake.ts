import { readFile, writeFile } from 'node:fs/promises'
import type { Digest } from '../base/digest.ts'
import type { ImageCacheError } from '../base/errors.ts'
import { isJsonRecord, parseJson } from '../base/json-value.ts'
import { type BakePlan, bakeArgs, bakeDefinition } from './bake-plan.ts'
import { readBuildMetadata } from './build-metadata.ts'
import type { BuildTimeline } from './progress-timeline.ts'
import { type BuildTools, runBuildx } from './run-build.ts'

/** A bake call that ran to its end, well or not. */
export type BakeRun =
  | {
      readonly kind: 'built'
      readonly timeline: BuildTimeline
      /** What each target was pushed as. */
      readonly digests: ReadonlyMap<string, Digest>
    }
  | { readonly kind: 'failed'; readonly timeline: BuildTimeline; readonly error: ImageCacheError }

/**
 * What bake must not do by itself: attestations belong to the whole image, not to its parts; and the definition is ours,
 * so that nobody need be asked whether it may read the folders that it names.
 */
const ENV = { BUILDX_NO_DEFAULT_ATTESTATIONS: '1', BUILDX_BAKE_ENTITLEMENTS_FS: '0' }

/** Runs one `buildx bake`. */
export async function runBake(plan: BakePlan, tools: BuildTools): Promise<BakeRun> {
  await writeFile(plan.definitionFile, bakeDefinition(plan))
  const run = await runBuildx(bakeArgs(plan), { ...tools, env: { ...tools.env, ...ENV } })
  if (run.kind === 'failed') return run
  const metadata = parseJson(await readFile(plan.metadataFile, 'utf8').catch(() => '{}'))
  const digests = plan.targets.flatMap(({ name }): [string, Digest][] => {
    const own = isJsonRecord(metadata) ? metadata[name] : undefined
    const { digest } = readBuildMetadata(JSON.stringify(own ?? {}))
    return digest === undefined ? [] : [[name, digest]]
  })
  return { kind: 'built', timeline: run.timeline, digests: new Map(digests) }
}
