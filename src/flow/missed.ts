import type { Deps } from '../deps.ts'
import { keyParts } from '../image/key-parts.ts'
import {
  changedParts,
  decodeParts,
  encodeParts,
  type PartChange,
  type RememberedParts,
  rememberedParts,
} from '../image/remembered-parts.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { changesLine } from '../report/changes.ts'
import type { Store, StoreKey } from '../stores/store.ts'
import { answersPrefix, storeKey } from '../stores/store-key.ts'
import type { Content, UnknownContent } from './content.ts'
import type { ImageFinding } from './find-image.ts'
import { imageSubject } from './image-subject.ts'
import { saveNote } from './notes.ts'
import type { Source } from './source.ts'

/** How a content differs from that of the last build of this image, as far as it is remembered. */
export type ContentChange =
  | { readonly kind: 'compared'; readonly before: RememberedParts; readonly changes: readonly PartChange[] }
  | { readonly kind: 'nothing-remembered' }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** Compares a content with that of the last build of the same image, target and platforms. */
export async function compareContent(
  inputs: BuildInputs,
  source: Source,
  content: Content,
  store: Store,
): Promise<ContentChange> {
  const prefix = partsKey(inputs)
  const found = await store.fetch(prefix)
  if (found.kind === 'unavailable') return { kind: 'unavailable', reason: `${store.name} store: ${found.reason}` }
  if (found.kind === 'miss' || !answersPrefix(found.key, prefix)) return { kind: 'nothing-remembered' }
  const before = decodeParts(Buffer.from(found.body).toString('utf8'))
  if (before === undefined) return { kind: 'nothing-remembered' }
  const changes = changedParts(before, partsOf(content), source.files.entries)
  return { kind: 'compared', before, changes }
}

/** Why the image of this content was looked for in vain, as a sentence; undefined where it wasn't looked for. */
export async function explainMiss(
  inputs: BuildInputs,
  source: Source,
  content: Content | UnknownContent,
  check: ImageFinding,
  store: Store,
): Promise<string | undefined> {
  const isForced = inputs.force || inputs.noCache || inputs.check === 'off'
  if (content.kind === 'unknown' || check.kind !== 'missing' || isForced) return undefined
  return missSentence(await compareContent(inputs, source, content, store))
}

/** A comparison as a sentence: `missed because: src/app.py, base image python:3.12-slim`. */
function missSentence(change: ContentChange): string {
  switch (change.kind) {
    case 'nothing-remembered':
      return 'missed because: no earlier build of this image is remembered'
    case 'unavailable':
      return `missed; what changed can't be told: ${change.reason}`
    case 'compared':
      if (change.changes.length > 0) return `missed because: ${changesLine(change.changes)}`
      return 'missed although nothing changed since the last build: its image is gone'
  }
}

/** Notes what this content is made of, for the next miss to compare with. */
export function rememberParts(
  inputs: BuildInputs,
  source: Source,
  content: Content | UnknownContent,
  deps: Deps,
): void {
  if (content.kind === 'unknown' || inputs.tags.length === 0 || inputs.check === 'off') return
  const now = Math.floor(deps.clock.now())
  const body = encodeParts(rememberedParts(content.key, now, partsOf(content), source.files.entries))
  saveNote(partsKey(inputs), body, deps)
}

/** Everything but the files that a content's key is made of. */
export function partsOf({ parts, images }: Content): ReturnType<typeof keyParts> {
  return keyParts(parts, new Set(images.filter(({ isBase }) => isBase).map(({ name }) => name)))
}

function partsKey(inputs: BuildInputs): StoreKey {
  return storeKey('parts', inputs.salt, imageSubject(inputs))
}
