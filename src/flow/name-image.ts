import { ImageCacheError, messageOf } from '../base/errors.ts'
import { isJsonRecord, parseJson } from '../base/json-value.ts'
import type { BuildPlan } from '../buildx/build-args.ts'
import type { BuildMetadata } from '../buildx/build-metadata.ts'
import { hostOf, type NamedPush, withNames } from '../buildx/push-names.ts'
import { type BuildTools, runBuild } from '../buildx/run-build.ts'
import { putTags } from '../registry/put-tags.ts'
import { formatReference, type ImageReference, parseReference, withDigest } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import { lookUp, type PushedImage } from './confirm-push.ts'

export interface NamedImage {
  /** With all names that the image has now. */
  readonly metadata: BuildMetadata
  readonly pushed: PushedImage
  /** What had to be done otherwise, one sentence each. */
  readonly notes: readonly string[]
}

/**
 * Reads a pushed image back from each of its registries and puts its other names on it there, all at the same time. What
 * can't be done from here, because the registry lets only the builder in or lost something, the builder does once more:
 * it has all of it already.
 * @throws ImageCacheError when the registry doesn't have the image after all
 */
export async function nameImage(
  { plan, first, later }: NamedPush,
  metadata: BuildMetadata,
  tools: BuildTools,
  registry: Registry,
): Promise<NamedImage> {
  if (!plan.outputs.some((output) => output.startsWith('type=image,push=true')))
    return { metadata, pushed: { kind: 'unknown', reason: 'nothing was pushed' }, notes: [] }
  if (first.length === 0) return { metadata, pushed: { kind: 'unknown', reason: 'it has no tag' }, notes: [] }
  const places = await Promise.all(
    first.map((name) =>
      nameIn(
        name,
        later.filter((other) => hostOf(other) === hostOf(name)),
        metadata.digest,
        registry,
      ),
    ),
  )
  const trouble = places.find(({ undone }) => undone !== undefined)?.undone
  const names = [...first, ...later]
  if (trouble === undefined) {
    const pushed = places[0]?.look ?? { kind: 'unknown', reason: 'the image has no name' }
    return { metadata: withAllNames(metadata, names), pushed, notes: [] }
  }
  const again = await pushAgain(plan, names, tools)
  const pushed = await lookUp(first[0], again.digest, registry)
  if (pushed.kind === 'missing') {
    throw new ImageCacheError('E_REGISTRY', `the registry took the image, but does not have ${pushed.what}`, {
      hint: 'The registry has trouble of its own: run the job again or ask its operator.',
    })
  }
  // Where only the builder gets in, that it puts the names is nothing to tell.
  const isUsual = places.every(({ look }) => look.kind === 'unknown')
  return { metadata: again, pushed, notes: isUsual ? [] : [`pushed again by the builder: ${trouble}`] }
}

interface Place {
  readonly look: PushedImage
  /** Why the builder must do it. */
  readonly undone: string | undefined
}

async function nameIn(
  name: string,
  others: readonly string[],
  digest: string | undefined,
  registry: Registry,
): Promise<Place> {
  const look = await lookUp(name, digest, registry)
  if (look.kind === 'missing') return { look, undone: `the registry did not have ${look.what}` }
  if (others.length === 0) return { look, undone: undefined }
  if (look.kind === 'unknown') return { look, undone: look.reason }
  const source = parseReference(name)
  if (typeof source === 'string') return { look, undone: source }
  const references = others.map(parseReference).filter((other): other is ImageReference => typeof other !== 'string')
  try {
    const result = await putTags(registry, withDigest(source, look.manifest.digest), references, { signatures: false })
    const [failure] = result.kind === 'done' ? result.failed : []
    return { look, undone: failure && `${formatReference(failure.reference)}: ${failure.error.message}` }
  } catch (error) {
    return { look, undone: messageOf(error) }
  }
}

/** Pushes all names by the builder; attestations may make it another image. @throws ImageCacheError when it can't */
async function pushAgain(plan: BuildPlan, names: readonly string[], tools: BuildTools): Promise<BuildMetadata> {
  const isOurs = plan.tags.length === 0
  const outputs = isOurs ? [withNames(plan.outputs[0] ?? '', names)] : plan.outputs
  const metadataFile = `${plan.metadataFile}.again`
  const run = await runBuild({ ...plan, outputs, cacheTo: [], noCache: false, pull: false, metadataFile }, tools)
  if (run.kind === 'failed') throw run.error
  return run.metadata
}

/** buildx names what it pushed; the names that were put afterwards belong there, too. */
function withAllNames(metadata: BuildMetadata, names: readonly string[]): BuildMetadata {
  const fields = parseJson(Buffer.from(metadata.text))
  if (!isJsonRecord(fields) || fields['image.name'] === undefined) return metadata
  return { ...metadata, text: JSON.stringify({ ...fields, 'image.name': names.join(',') }, null, 2) }
}
