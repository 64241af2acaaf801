import type { FoundBuilder } from '../buildx/builder.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import { decodeHistory, encodeHistory, type PublishRecord, withRecord } from '../buildx/publish-history.ts'
import type { Deps } from '../deps.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { storeKey } from '../stores/store-key.ts'
import type { PushedBuild } from './build-and-push.ts'
import { imageSubject } from './image-subject.ts'
import { recallNote, saveNote } from './notes.ts'

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
  const note = await recallNote(publishKey(inputs, found), store)
  return note === undefined ? { history: [], layers: [] } : decodeHistory(note)
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
  saveNote(publishKey(inputs, found), body, deps)
}

/** Seconds from the first start to the last end. */
export function lasted(spans: BuildTimeline['cacheExports'], elapsed: number): number {
  const start = Math.min(...spans.map((span) => span.start))
  const end = Math.max(...spans.map((span) => span.end ?? elapsed))
  return spans.length === 0 ? 0 : Math.max(0, Math.round(end - start) / 1000)
}

function publishKey(inputs: BuildInputs, { builder }: FoundBuilder): StoreKey {
  return storeKey('publish', inputs.salt, {
    ...imageSubject(inputs),
    driver: builder.driver,
    buildkit: builder.buildkit,
  })
}
