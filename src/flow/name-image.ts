import { ImageCacheError } from '../base/errors.ts'
import { isJsonRecord, parseJson } from '../base/json-value.ts'
import type { BuildPlan } from '../buildx/build-args.ts'
import type { BuildMetadata } from '../buildx/build-metadata.ts'
import { type NamedPush, repositoryOf } from '../buildx/push-names.ts'
import { type BuildTools, runBuild } from '../buildx/run-build.ts'
import type { Registry } from '../registry/registry.ts'
import { lookUp, type PushedImage, putNames } from './confirm-push.ts'

export interface NamedImage {
  /** With all names that the image has now. */
  readonly metadata: BuildMetadata
  readonly pushed: PushedImage
  /** What had to be tried again, one sentence each. */
  readonly notes: readonly string[]
}

/**
 * Reads a pushed image back in each of its repositories and puts its other names on it there. What can't be done from
 * here, because the registry lets only the builder in or lost something, the builder does: it has all of it already.
 * @throws ImageCacheError when the registry doesn't have the image after all
 */
export async function nameImage(
  { plan, first, later }: NamedPush,
  metadata: BuildMetadata,
  tools: BuildTools,
  registry: Registry,
): Promise<NamedImage> {
  const isPushed = plan.outputs.some((output) => output.startsWith('type=image,push=true'))
  if (!isPushed) return { metadata, pushed: { kind: 'unknown', reason: 'nothing was pushed' }, notes: [] }
  const places = await Promise.all(first.map((name) => nameIn(name, namesIn(later, name), metadata.digest, registry)))
  const notes = places.flatMap((place) => place.note ?? [])
  const left = places.flatMap((place) => place.left)
  if (left.length > 0) await pushAgain(plan, left, tools)
  const lost = places.find(({ look }) => look.kind === 'missing')
  if (lost !== undefined) await mustBeThere(lost.name, metadata.digest, registry)
  const pushed = places[0]?.look ?? { kind: 'unknown', reason: 'the image has no name' }
  return { metadata: withNames(metadata, [...first, ...later]), pushed, notes }
}

interface Place {
  readonly name: string
  readonly look: PushedImage
  /** Names for the builder to push. */
  readonly left: readonly string[]
  readonly note: string | undefined
}

async function nameIn(
  name: string,
  others: readonly string[],
  digest: string | undefined,
  registry: Registry,
): Promise<Place> {
  const look = await lookUp(name, digest, registry)
  if (look.kind === 'unknown') return { name, look, left: others, note: undefined }
  if (look.kind === 'missing') {
    return { name, look, left: [name, ...others], note: `pushed again: the registry did not have ${look.what}` }
  }
  const failed = await putNames(registry, look.manifest, others)
  const note = failed && `pushed by the builder: ${failed.left.join(', ')} (${failed.reason})`
  return { name, look, left: failed?.left ?? [], note }
}

async function mustBeThere(name: string, digest: string | undefined, registry: Registry): Promise<void> {
  const look = await lookUp(name, digest, registry)
  if (look.kind !== 'missing') return
  throw new ImageCacheError('E_REGISTRY', `the registry took the image, but does not have ${look.what}`, {
    hint: 'The registry has trouble of its own: run the job again or ask its operator.',
  })
}

/** @throws ImageCacheError when the builder can't push them */
async function pushAgain(plan: BuildPlan, names: readonly string[], tools: BuildTools): Promise<void> {
  const [output = ''] = plan.outputs
  const outputs = names.map((name) => `${output.replace(/,name=[^,]*$/, '')},name=${name}`)
  const metadataFile = `${plan.metadataFile}.again`
  const run = await runBuild(
    { ...plan, tags: [], outputs, cacheTo: [], noCache: false, pull: false, metadataFile },
    tools,
  )
  if (run.kind === 'failed') throw run.error
}

function namesIn(names: readonly string[], first: string): readonly string[] {
  return names.filter((name) => repositoryOf(name) === repositoryOf(first))
}

/** buildx names what it pushed; the names that were put afterwards belong there, too. */
function withNames(metadata: BuildMetadata, names: readonly string[]): BuildMetadata {
  const fields = parseJson(Buffer.from(metadata.text))
  if (!isJsonRecord(fields) || fields['image.name'] === undefined) return metadata
  return { ...metadata, text: JSON.stringify({ ...fields, 'image.name': names.join(',') }, null, 2) }
}
