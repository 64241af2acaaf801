import type { CacheOption } from '../buildx/cache-option.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import { parseManifest } from '../registry/manifest.ts'
import { parseReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { PushedImage } from './confirm-push.ts'

/**
 * Why an export can be left out: no step ran, every cache that would be written was read, and holds the image's last
 * layer already. An old cache that only this builder is ahead of is written.
 * @returns a sentence part, or undefined when the export is needed or nobody can tell
 */
export async function nothingToExport(
  { cacheFrom, cacheTo }: { readonly cacheFrom: readonly CacheOption[]; readonly cacheTo: readonly CacheOption[] },
  image: BuildTimeline,
  pushed: PushedImage,
  registry: Registry,
): Promise<string | undefined> {
  const exports = cacheTo.filter(({ type }) => type !== 'inline')
  const read = new Set(
    cacheFrom.filter(({ type }) => type === 'registry').map(({ attributes }) => attributes.get('ref')),
  )
  const isSame = exports.every(({ type, attributes }) => type === 'registry' && read.has(attributes.get('ref')))
  const isImported = image.cacheImports.length > 0 && image.cacheImports.every(({ error }) => error === undefined)
  if (!isSame || !isImported || image.executedRuns.length > 0 || pushed.kind !== 'there') return undefined
  const held = await Promise.all(exports.map(({ attributes }) => layersOf(attributes.get('ref') ?? '', registry)))
  const isWhole = held.every((layers) => pushed.tops.every((top) => layers.has(top)))
  return isWhole ? 'nothing to export: every step came from the cache that would be written' : undefined
}

async function layersOf(ref: string, registry: Registry): Promise<ReadonlySet<string>> {
  const reference = parseReference(ref)
  if (typeof reference === 'string') return new Set()
  try {
    const raw = await registry.manifest(reference)
    const parsed = raw === undefined ? undefined : parseManifest(raw)
    const descriptors = parsed?.kind === 'index' ? parsed.manifests : (parsed?.layers ?? [])
    return new Set(descriptors.map(({ digest }) => digest))
  } catch {
    // Who can't look exports.
    return new Set()
  }
}
