import { type Attestation, attest, type PlatformImage, type Predicate } from '../assemble/attestation.ts'
import type { BuiltLayers } from '../assemble/built-layers.ts'
import type { OwnLayer } from '../assemble/folder-layer.ts'
import { type ComposedImage, composeImage } from '../assemble/image-manifest.ts'
import type { KeptLayer } from '../assemble/kept-layer.ts'
import { type LayerSource, type PlacedLayers, placeLayers } from '../assemble/place-layers.ts'
import { provenance } from '../assemble/provenance.ts'
import { putImage, topManifest } from '../assemble/put-image.ts'
import { sbom } from '../assemble/sbom.ts'
import { type Digest, digestOf } from '../base/digest.ts'
import { type BuildMetadata, readBuildMetadata } from '../buildx/build-metadata.ts'
import type { Deps } from '../deps.ts'
import type { ComposedPart } from '../dockerfile/composed-part.ts'
import { stageConfig } from '../dockerfile/stage-config.ts'
import { contentTag } from '../image/content-key.ts'
import { OCI_MANIFEST } from '../registry/manifest.ts'
import { formatReference, type ImageReference, type RepositoryName, sameRepository } from '../registry/reference.ts'
import { buildFacts } from './build-facts.ts'
import type { ComposedPlatform } from './choose-assembly.ts'
import type { ComposeOrder } from './compose-image.ts'
import { repositoriesOf } from './find-image.ts'

/** All layers of an image, and what is needed to put it. */
export interface PutComposedOrder extends ComposeOrder {
  /** What lies below the parts, on each platform. */
  readonly bases: ReadonlyMap<ComposedPlatform, BuiltLayers>
  readonly layers: ReadonlyMap<ComposedPart, KeptLayer>
  readonly own: ReadonlyMap<ComposedPart, OwnLayer>
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Asks for every layer, also for those that were there a moment ago. */
  readonly verify: boolean
  /** Without tags it is put into the first repository, by digest alone. */
  readonly tagged: boolean
}

export type PutComposedResult =
  | { readonly kind: 'put'; readonly metadata: BuildMetadata; readonly mounted: number; readonly copiedBytes: number }
  /** Layers that the registry lost; empty when it doesn't tell which. */
  | { readonly kind: 'incomplete'; readonly gone: ReadonlySet<Digest> }
  | { readonly kind: 'unknown-config'; readonly reason: string }

/** Puts the image, under all its tags and the tag of its content where it gets tags. @throws ImageCacheError E_REGISTRY */
export async function putComposed(order: PutComposedOrder, deps: Deps): Promise<PutComposedResult> {
  const { inputs, choice, own } = order
  const images: PlatformImage[] = []
  for (const composed of choice.images) {
    const image = platformImage(composed, order, deps)
    if ('kind' in image) return image
    images.push(image)
  }
  const tags = order.tagged ? imageTags(order) : []
  const blobs = [...new Map([...own.values()].map(({ layer, bytes }) => [layer.digest, bytes])).values()]

  const [first, ...more] = repositoriesOf(inputs)
  const others = order.tagged ? more : []
  if (first === undefined) throw new RangeError('the image has no name')
  const into = async (
    repository: RepositoryName,
    more: readonly RepositoryName[],
  ): Promise<PutComposedResult | PlacedLayers> => {
    const placed = await placeLayers(deps.registry, repository, sources(order, more), order.verify)
    if (placed.gone.length > 0) return { kind: 'incomplete', gone: new Set(placed.gone.map(({ digest }) => digest)) }
    const here = tags.filter((tag) => sameRepository(tag, repository))
    const put = await putImage(deps.registry, repository, { images, blobs, tags: here })
    return put.kind === 'put' ? placed : { kind: 'incomplete', gone: new Set() }
  }
  // Others mount from the first.
  const results = [await into(first, []), ...(await Promise.all(others.map((other) => into(other, [first]))))]
  const placed: PlacedLayers[] = []
  for (const result of results) {
    if ('kind' in result) return result
    placed.push(result)
  }
  return {
    kind: 'put',
    metadata: metadataOf(images, tags),
    mounted: placed.reduce((sum, { mounted }) => sum + mounted, 0),
    copiedBytes: placed.reduce((sum, { copiedBytes }) => sum + copiedBytes, 0),
  }
}

/** The image of one platform, of layers that are all there. */
function platformImage(
  composed: ComposedPlatform,
  order: PutComposedOrder,
  deps: Deps,
): PlatformImage | Extract<PutComposedResult, { kind: 'unknown-config' }> {
  const { inputs, source, layers, own } = order
  const { plan, view, platform } = composed
  const base = order.bases.get(composed)
  if (base === undefined) throw new RangeError('there is nothing below the parts')
  const config = stageConfig(source.dockerfile, view, base.configJson, inputs.labels, plan.history, plan.below)
  if (config.kind === 'unknown') return { kind: 'unknown-config', reason: config.reason }
  const all = [...base.layers, ...plan.parts.flatMap((part) => layers.get(part) ?? own.get(part)?.layer ?? [])]
  const image = composeImage(config.json, all, new Date(deps.clock.now()).toISOString(), order.annotations)
  return { platform, image, attested: attestation(composed, image, order, deps) }
}

/** Where each layer lies, a layer of several platforms once. Those of our own making are sent along. */
function sources({ choice, bases, layers }: PutComposedOrder, more: readonly RepositoryName[]): readonly LayerSource[] {
  const { repository, layersRepository } = choice
  const below = [...bases].flatMap(([{ plan, root }, { layers }]) =>
    layers.map((layer) => ({ layer, from: [plan.below === 0 ? root.reference : repository, ...more] })),
  )
  const parts = [...layers].map(([part, layer]) => {
    return { layer, from: [part.kind === 'group' ? layersRepository : repository, ...more] }
  })
  return [...new Map([...below, ...parts].map((source) => [source.layer.digest, source])).values()]
}

/** None of the user's where the image is pushed by digest: its tags are repositories alone. */
function imageTags({ inputs, content }: ComposeOrder): readonly ImageReference[] {
  const given = inputs.tags.filter(({ tag }) => tag !== undefined)
  if (content.kind === 'unknown') return given
  const tag = contentTag(content.key)
  return [...given, ...repositoriesOf(inputs).map((repository) => ({ ...repository, tag }))]
}

function attestation(
  composed: ComposedPlatform,
  image: ComposedImage,
  order: PutComposedOrder,
  deps: Deps,
): Attestation | undefined {
  const { attestations } = order.choice
  const predicates: Predicate[] = []
  const facts = buildFacts(composed, order, order.startedAt, deps)
  const names = order.inputs.tags.map(formatReference)
  if (attestations.provenance !== 'off') predicates.push(provenance(facts, attestations.provenance))
  if (attestations.sbom) {
    const [base] = facts.images
    if (base === undefined) throw new RangeError('there is no base image')
    const { platform, wheels, finishedOn } = facts
    const name = names[0] ?? ''
    predicates.push(sbom({ name, digest: image.digest, platform, base, wheels, created: finishedOn }))
  }
  return predicates.length === 0 ? undefined : attest(image, composed.platform, names, predicates)
}

/** The image as docker's build action would tell of it. */
function metadataOf(images: readonly PlatformImage[], tags: readonly ImageReference[]): BuildMetadata {
  const { mediaType, bytes } = topManifest(images)
  const digest = digestOf(bytes)
  const text = JSON.stringify(
    {
      ...(mediaType === OCI_MANIFEST ? { 'containerimage.config.digest': images[0]?.image.configDigest } : {}),
      'containerimage.descriptor': { mediaType, digest, size: bytes.length },
      'containerimage.digest': digest,
      'image.name': tags.map(formatReference).join(','),
    },
    null,
    2,
  )
  return readBuildMetadata(text)
}
