import type { Digest } from '../base/digest.ts'
import { ImageCacheError, messageOf } from '../base/errors.ts'
import { decidingOptions } from '../buildx/builder-options.ts'
import { externalImages, resolveStages } from '../dockerfile/stage-graph.ts'
import { usedBuildArgs } from '../dockerfile/used-build-args.ts'
import { type ContentKeyParts, contentKey } from '../image/content-key.ts'
import type { ContextTools } from '../image/context-hash.ts'
import { readNamedContext } from '../image/named-context.ts'
import { lastingAnnotations, lastingLabels } from '../image-check/volatile-marks.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { familiarReference, type ImageReference, parseReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import type { TasksKey } from './build-tasks.ts'
import { installerName } from './installer-name.ts'
import { resolveNamedContexts } from './named-contexts.ts'
import { nativePlatform, platformOptions, type Source } from './source.ts'

/** A base image or another image that the Dockerfile takes files from. */
export interface BaseImage {
  /** As the Dockerfile names it. */
  readonly name: string
  /** What it stands for: the same, or what a named context puts in its place. */
  readonly reference: ImageReference
  readonly digest: Digest
  /** Whether a stage stands on it. */
  readonly isBase: boolean
}

/** Everything outside the repository that the image depends on, by digest. */
export interface Content {
  readonly kind: 'known'
  readonly key: Digest
  readonly images: readonly BaseImage[]
  /** What the key was made of. */
  readonly parts: ContentKeyParts
}

/** The content can't be told: then an existing image can't be recognised, and the build runs. */
export interface UnknownContent {
  readonly kind: 'unknown'
  readonly reason: string
}

/**
 * Resolves what the image is made of and makes its content key. What can't be told is no error: without a key the build
 * just runs.
 * @param tools for named contexts; without them their files are all read, and git contexts can't be told
 * @throws ImageCacheError E_CANCELLED alone
 */
export async function identifyContent(
  inputs: BuildInputs,
  source: Source,
  registry: Registry,
  tools: ContextTools = {},
  tasks: TasksKey = { kind: 'known', key: undefined },
): Promise<Content | UnknownContent> {
  if (tasks.kind === 'unknown') return tasks
  try {
    const imageDigest = (name: string): Promise<Digest> => digestNow(toReference(name), registry)
    const [namedContexts, images, installer] = await Promise.all([
      resolveNamedContexts(inputs.buildContexts, { tools, imageDigest, known: inputs.contextKeys }),
      resolveImages(inputs, source, registry),
      installerName(inputs, source, registry),
    ])
    const used = new Set(platformOptions(inputs).flatMap((options) => usedBuildArgs(source.dockerfile, options)))
    const parts: ContentKeyParts = {
      salt: inputs.salt,
      dockerfile: source.dockerfile.text,
      target: inputs.target,
      platforms: inputs.platforms,
      builderPlatform: inputs.platforms.length > 0 ? undefined : nativePlatform(),
      buildArgs: new Map([...inputs.buildArgs].filter(([name]) => used.has(name))),
      context: source.files.digest,
      tasks: tasks.key,
      namedContexts,
      images: new Map(images.map(({ name, digest }) => [name, digest])),
      labels: lastingLabels(inputs.labels, inputs.volatileLabels),
      annotations: lastingAnnotations(inputs.annotations, inputs.volatileLabels),
      secretIds: inputs.secrets.map(({ id }) => id),
      provenance: inputs.provenance,
      sbom: inputs.sbom,
      compression: inputs.compression,
      outputs: inputs.outputs,
      options: decidingOptions(inputs.builderOptions),
      layers: inputs.optimizeLayers
        ? {
            installer,
            maxLayers: inputs.maxLayers,
            maxLayerSize: inputs.maxLayerSize,
            pins: inputs.layers,
            heavy: inputs.heavyPackages,
            python: inputs.pythonVersion,
          }
        : 'off',
    }
    return { kind: 'known', key: contentKey(parts), images, parts }
  } catch (error) {
    if (error instanceof ImageCacheError && error.code === 'E_CANCELLED') throw error
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

/**
 * Digests of all images that the build takes from outside, for any of its platforms: an image's name may hold the
 * platform. One HEAD each: an index's digest covers all its platforms, and reading it would count as a pull.
 */
async function resolveImages(inputs: BuildInputs, source: Source, registry: Registry): Promise<readonly BaseImage[]> {
  const options = platformOptions(inputs)
  const found = options.flatMap((one) => externalImages(source.dockerfile, one))
  const bases = new Set(options.flatMap((one) => resolveStages(source.dockerfile, one).stages.flatMap(baseName)))
  const names = [...new Set(found.map(({ reference }) => reference))]
  const overrides = new Map([...inputs.buildContexts].map(([name, value]) => [normalName(name), value]))
  const made = new Set([...(inputs.contextKeys?.keys() ?? [])].map(normalName))
  const images = names.map(async (name): Promise<BaseImage | undefined> => {
    const override = overrides.get(normalName(name))
    const context = override === undefined ? undefined : readNamedContext(override)
    // A context of files is hashed as one; it is no image, and neither is what another build has yet to make.
    if (context !== undefined && (context.kind !== 'image' || made.has(normalName(name)))) return undefined
    const reference = toReference(context?.name ?? name)
    return { name, reference, digest: await digestNow(reference, registry), isBase: bases.has(name) }
  })
  return (await Promise.all(images)).filter((image) => image !== undefined)
}

function baseName({ base }: ReturnType<typeof resolveStages>['stages'][number]): readonly string[] {
  return base.kind === 'image' ? [base.reference] : []
}

async function digestNow(reference: ImageReference, registry: Registry): Promise<Digest> {
  const digest = reference.digest ?? (await registry.head(reference))?.digest
  if (digest === undefined) throw new Error(`${familiarReference(reference)} is not in its registry`)
  return digest
}

function toReference(text: string): ImageReference {
  const reference = parseReference(text)
  if (typeof reference === 'string') throw new Error(`${text} ${reference}`)
  return reference
}

/** One form for all spellings of an image's name; a stage's name is none and stays as it is. */
function normalName(name: string): string {
  const reference = parseReference(name)
  return typeof reference === 'string' ? name : familiarReference(reference)
}
