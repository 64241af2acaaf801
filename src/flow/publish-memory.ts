import { hexOf } from '../base/digest.ts'
import { keyHash } from '../base/key-hash.ts'
import type { FoundBuilder } from '../buildx/builder.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import { decodeHistory, encodeHistory, type PublishRecord, withRecord } from '../buildx/publish-history.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { formatRepository } from '../registry/reference.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { answersPrefix, storeKey, withValue } from '../stores/store-key.ts'
import type { PushedBuild } from './build-and-push.ts'

/** What is remembered of publishing this image from this builder. */
export interface PublishMemory {
  readonly history: readonly PublishRecord[]
  /** Digests of the last image's layers. */
  readonly layers: readonly string[]
}

/** A build as far as its publishing is remembered. */
export interface PublishedBuild {
  readonly inputs: BuildInputs
  readonly found: FoundBuilder
  readonly publish: { readonly mode: string; readonly memory: PublishMemory }
}

/** What earlier runs measured; nothing where the store has nothing or can't tell. */
export async function recallPublish(inputs: BuildInputs, found: FoundBuilder, store: Store): Promise<PublishMemory> {
  const prefix = publishKey(inputs, found)
  const entry = await store.fetch(prefix)
  if (entry.kind !== 'hit' || !answersPrefix(entry.key, prefix)) return { history: [], layers: [] }
  return decodeHistory(Buffer.from(entry.body).toString('utf8'))
}

/** Notes what the legs took. The newest entry counts. */
export function rememberPublish(
  { inputs, found, publish }: PublishedBuild,
  { timeline, pushed }: Pick<PushedBuild, 'timeline' | 'pushed'>,
  deps: Pick<Deps, 'clock' | 'saveLater'>,
): void {
  const { mode, memory } = publish
  if (pushed.kind !== 'there' || timeline.pushes.length === 0 || timeline.cacheExports.length === 0) return
  if (timeline.cacheExports.some(({ error }) => error !== undefined)) return
  const { layers } = pushed
  const known = new Set(memory.layers)
  const bytes = layers.reduce((sum, { digest, size }) => sum + (known.has(digest) ? 0 : size), 0)
  const both = [...timeline.pushes, ...timeline.cacheExports]
  const record = {
    mode,
    push: lasted(timeline.pushes, timeline.elapsed),
    export: lasted(timeline.cacheExports, timeline.elapsed),
    seconds: lasted(both, timeline.elapsed),
    // What the first run found in the repository is not known, so it tells nothing of the link.
    bytes: memory.layers.length === 0 ? 0 : bytes,
  }
  const body = encodeHistory(
    withRecord(memory.history, record),
    layers.map(({ digest }) => digest),
  )
  const time = Math.floor(deps.clock.now()).toString(36).padStart(9, '0')
  deps.saveLater({ key: withValue(publishKey(inputs, found), `${time}-${hexOf(keyHash(body))}`), body })
}

/** Seconds from the first start to the last end. */
export function lasted(spans: BuildTimeline['cacheExports'], elapsed: number): number {
  const start = Math.min(...spans.map((span) => span.start))
  const end = Math.max(...spans.map((span) => span.end ?? elapsed))
  return spans.length === 0 ? 0 : Math.max(0, Math.round(end - start) / 1000)
}

function publishKey(inputs: BuildInputs, { builder }: FoundBuilder): StoreKey {
  return storeKey('publish', inputs.salt, {
    repositories: [...new Set(inputs.tags.map(formatRepository))].sort(),
    target: inputs.target,
    platforms: [...inputs.platforms].sort(),
    driver: builder.driver,
    buildkit: builder.buildkit,
  })
}
