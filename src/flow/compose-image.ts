import type { BuiltLayers } from '../assemble/built-layers.ts'
import { keptLayers } from '../assemble/built-layers.ts'
import { keepGroup } from '../assemble/find-layers.ts'
import { folderLayer, type OwnLayer } from '../assemble/folder-layer.ts'
import type { KeptLayer } from '../assemble/kept-layer.ts'
import { type Digest, hexOf } from '../base/digest.ts'
import { ImageCacheError } from '../base/errors.ts'
import type { FoundBuilder } from '../buildx/builder.ts'
import { createProgress } from '../buildx/progress.ts'
import type { BuildTimeline } from '../buildx/progress-timeline.ts'
import type { Deps } from '../deps.ts'
import type { ComposedPart } from '../dockerfile/composed-part.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { type ImageReference, withDigest } from '../registry/reference.ts'
import type { ReportCache } from '../report/report.ts'
import type { BuiltImage } from './build-and-push.ts'
import { type BuiltParts, buildParts, type MissingParts } from './build-parts.ts'
import type { ComposedChoice, ComposedPlatform } from './choose-assembly.ts'
import type { Content, UnknownContent } from './content.ts'
import { findParts } from './find-parts.ts'
import { rememberLayers } from './layer-memory.ts'
import { partKey } from './part-keys.ts'
import { tidyCaches } from './publish.ts'
import { type PutComposedOrder, type PutComposedResult, putComposed } from './put-composed.ts'
import { nativePlatform, type Source } from './source.ts'

/** What a composed image is made of, once everything before it is decided. */
export interface ComposeOrder {
  readonly inputs: BuildInputs
  readonly source: Source
  readonly content: Content | UnknownContent
  readonly choice: ComposedChoice
  /** Annotations of the manifest. */
  readonly annotations: Readonly<Record<string, string>>
  /** Looks at the image before it gets its tags, and throws when it must not have them. */
  readonly inspect?: ((image: ImageReference) => Promise<void>) | undefined
}

/** An image that was put together in the registry. */
export interface MadeOfParts extends BuiltImage {
  readonly kind: 'composed'
  /** Parts that were built now; all others were there. */
  readonly built: ReadonlySet<ComposedPart>
  /** Layers of the base image that were mounted, and bytes that had to be copied, into the image's repositories. */
  readonly mounted: number
  readonly copiedBytes: number
  readonly caches: readonly ReportCache[]
  /** What could not be done for the next build, one sentence each; this image is whole. */
  readonly troubles: readonly string[]
}

/** `impossible`: the builder at hand can't make the parts, so the image must be made as a whole. */
export type ComposeResult = MadeOfParts | { readonly kind: 'impossible'; readonly reason: string }

/** Once for what is missing at first, once more for what is gone when the image is put. */
const ROUNDS = 3

/**
 * Puts an image together: asks which of its layers are kept, builds the others in one call, and PUTs configuration and
 * manifest. With all layers there no builder is needed.
 * @throws ImageCacheError when a part can't be built or the registry fails; `onEnd` has got the timeline then, too
 */
export async function composeImage(
  order: ComposeOrder,
  finding: Promise<FoundBuilder>,
  deps: Deps,
  onEnd: (timeline: BuildTimeline) => void,
): Promise<ComposeResult> {
  const { inputs, choice } = order
  const startedAt = deps.clock.now()
  const keys = keysOf(order)
  const own = await ownLayers(choice, inputs)
  const found = await findParts(keys, choice, inputs, deps)
  let layers: ReadonlyMap<ComposedPart, KeptLayer> = found.layers
  let bases = baseLayers(choice)
  const built = new Set<ComposedPart>()
  const troubles: string[] = [...found.unknown]
  const caches: ReportCache[] = []
  let timeline: BuildTimeline | undefined
  for (let round = 1; round <= ROUNDS; round += 1) {
    const missing = choice.images.map((image) => missingParts(image, layers, bases)).filter(isMissing)
    if (missing.length > 0) {
      const builder = await finding
      const unfit = unfitBuilder(builder, inputs)
      if (unfit !== undefined) return { kind: 'impossible', reason: unfit }
      const made = await buildParts({ ...order, missing }, builder, deps, onEnd)
      layers = new Map([...layers, ...made.layers])
      bases = new Map([...bases, ...made.below])
      timeline = made.timeline
      for (const { groups, copies } of missing) for (const part of [...groups, ...copies]) built.add(part)
      caches.push(...(await tidied(made, deps)))
      troubles.push(...(await keepGroups(made, keys, order, deps)))
    }
    const put = await putInspected({ ...order, bases, layers, own, startedAt, verify: round > 1 }, deps)
    if (put.kind === 'unknown-config') return { kind: 'impossible', reason: put.reason }
    if (put.kind === 'put') {
      remember(keys, layers, order, deps)
      const { metadata, mounted, copiedBytes } = put
      const nothingRan = timeline ?? createProgress().snapshot()
      return { kind: 'composed', metadata, timeline: nothingRan, built, mounted, copiedBytes, caches, troubles }
    }
    const { gone } = put
    const isGone = (layer: KeptLayer): boolean => gone.has(layer.digest)
    layers = new Map([...layers].filter(([, layer]) => !isGone(layer)))
    bases = new Map([...bases].filter(([{ plan }, base]) => plan.below === 0 || !base.layers.some(isGone)))
  }
  throw new ImageCacheError('E_REGISTRY', 'the registry says that layers are missing which it has just been given', {
    hint: 'See that no clean-up of the registry runs at the same time; then run the job again.',
  })
}

/** What must be built of one platform's image. */
function missingParts(
  image: ComposedPlatform,
  layers: ReadonlyMap<ComposedPart, KeptLayer>,
  bases: ReadonlyMap<ComposedPlatform, BuiltLayers>,
): MissingParts {
  const missing = image.plan.parts.filter((part) => !layers.has(part))
  return {
    image,
    groups: missing.filter((part) => part.kind === 'group'),
    copies: missing.filter((part) => part.kind === 'copy'),
    below: !bases.has(image),
  }
}

function isMissing({ groups, copies, below }: MissingParts): boolean {
  return below || groups.length > 0 || copies.length > 0
}

/** Under no tag first, where somebody wants to look at it. */
async function putInspected(order: Omit<PutComposedOrder, 'tagged'>, deps: Deps): Promise<PutComposedResult> {
  const { inspect, choice } = order
  if (inspect !== undefined) {
    const draft = await putComposed({ ...order, tagged: false }, deps)
    if (draft.kind !== 'put') return draft
    const { digest } = draft.metadata
    if (digest === undefined) throw new RangeError('the image has no digest')
    await inspect(withDigest(choice.repository, digest))
  }
  return await putComposed({ ...order, tagged: true }, deps)
}

function keysOf({ inputs, source, content, choice }: ComposeOrder): ReadonlyMap<ComposedPart, Digest> {
  const keys = choice.images.flatMap(({ plan, view }) =>
    plan.parts.flatMap((part) => {
      const key = partKey(part, { inputs, source, content, view })
      return key === undefined ? [] : [[part, key] as const]
    }),
  )
  return new Map(keys)
}

/** Folders are so small that they are made here. */
async function ownLayers(
  { images }: ComposedChoice,
  { compression }: BuildInputs,
): Promise<ReadonlyMap<ComposedPart, OwnLayer>> {
  const folders = images.flatMap(({ plan }) => plan.parts.filter((part) => part.kind === 'folders'))
  const made = folders.map(async (part) => [part, await folderLayer(part.paths, compression)] as const)
  return new Map(await Promise.all(made))
}

/** Base images that parts stand on as they are. */
function baseLayers({ images }: ComposedChoice): ReadonlyMap<ComposedPlatform, BuiltLayers> {
  const asTheyAre = images.filter(({ plan }) => plan.below === 0)
  return new Map(
    asTheyAre.map((image) => {
      const { root } = image
      const layers = keptLayers(root.layers, root.diffIds)
      if (typeof layers === 'string') throw new RangeError(layers)
      return [image, { layers, configJson: root.configJson }]
    }),
  )
}

function unfitBuilder({ builder }: FoundBuilder, inputs: BuildInputs): string | undefined {
  if (builder.driver === 'docker') return 'builders of the docker driver push no images without a tag'
  if (inputs.platforms.length === 0 && builder.platforms[0] !== nativePlatform())
    return `the builder makes images for ${builder.platforms[0]}`
  return undefined
}

async function tidied({ publish, timeline }: BuiltParts, { registry }: Deps): Promise<readonly ReportCache[]> {
  if (publish === undefined) return []
  return [...publish.rows, ...(await tidyCaches(publish, { timeline, cache: { kind: 'in-image-call' } }, registry))]
}

/** The tags by which other builds find the new groups. */
async function keepGroups(
  { layers }: BuiltParts,
  keys: ReadonlyMap<ComposedPart, Digest>,
  { choice }: ComposeOrder,
  { registry }: Deps,
): Promise<readonly string[]> {
  const kept = choice.images.flatMap(({ plan, platform }) =>
    plan.parts.map(async (part) => {
      const [key, layer] = [keys.get(part), layers.get(part)]
      if (part.kind !== 'group' || key === undefined || layer === undefined) return undefined
      const createdBy = part.group.packages.map(({ name, version }) => `${name}==${version}`).join(' ')
      return await keepGroup(registry, choice.layersRepository, key, { layer, platform, createdBy })
    }),
  )
  const troubles = (await Promise.all(kept)).filter((trouble) => trouble !== undefined)
  return [...new Set(troubles)].map((trouble) => `a layer could not be kept for other images: ${trouble}`)
}

function remember(
  keys: ReadonlyMap<ComposedPart, Digest>,
  layers: ReadonlyMap<ComposedPart, KeptLayer>,
  { inputs, choice }: ComposeOrder,
  deps: Deps,
): void {
  const remembered = [...keys].flatMap(([part, key]) => {
    const layer = layers.get(part)
    return layer === undefined ? [] : [[hexOf(key), layer] as const]
  })
  rememberLayers(inputs, choice.repository, new Map(remembered), deps)
}
