import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Digest } from '../base/digest.ts'
import { messageOf } from '../base/errors.ts'
import { declaredBuildArgs, externalImages } from '../dockerfile/stage-graph.ts'
import { contentKey } from '../image/content-key.ts'
import { hashContext } from '../image/context-hash.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { familiarReference, type ImageReference, parseReference } from '../registry/reference.ts'
import type { Registry } from '../registry/registry.ts'
import { buildOptions, nativePlatform, type Source } from './source.ts'

/** A base image or another image that the Dockerfile takes files from. */
export interface BaseImage {
  /** As the Dockerfile names it. */
  readonly name: string
  /** What it stands for: the same, or what a named context puts in its place. */
  readonly reference: ImageReference
  readonly digest: Digest
}

/** Everything outside the repository that the image depends on, by digest. */
export interface Content {
  readonly kind: 'known'
  readonly key: Digest
  readonly images: readonly BaseImage[]
}

/** The content can't be told: then an existing image can't be recognised, and the build runs. */
export interface UnknownContent {
  readonly kind: 'unknown'
  readonly reason: string
}

/** Resolves what the image is made of and makes its content key. Never throws: without a key the build just runs. */
export async function identifyContent(
  inputs: BuildInputs,
  source: Source,
  registry: Registry,
): Promise<Content | UnknownContent> {
  try {
    const [contexts, images] = await Promise.all([
      hashNamedContexts(inputs, registry),
      resolveImages(inputs, source, registry),
    ])
    const declared = new Set(declaredBuildArgs(source.dockerfile, buildOptions(inputs)))
    const key = contentKey({
      salt: inputs.salt,
      dockerfile: source.dockerfile.text,
      target: inputs.target,
      platforms: inputs.platforms,
      builderPlatform: inputs.platforms.length > 0 ? undefined : nativePlatform(),
      buildArgs: new Map([...inputs.buildArgs].filter(([name]) => declared.has(name))),
      context: source.files.digest,
      namedContexts: contexts,
      images: new Map(images.map(({ name, digest }) => [name, digest])),
      labels: inputs.labels,
      secretIds: inputs.secrets.map(({ id }) => id),
      provenance: inputs.provenance,
      sbom: inputs.sbom,
      compression: inputs.compression,
      outputs: inputs.outputs,
      layers: inputs.optimizeLayers
        ? {
            installer: inputs.installerImage,
            maxLayers: inputs.maxLayers,
            maxLayerSize: inputs.maxLayerSize,
            pins: inputs.layers,
            heavy: inputs.heavyPackages,
            python: inputs.pythonVersion,
          }
        : 'off',
    })
    return { kind: 'known', key, images }
  } catch (error) {
    return { kind: 'unknown', reason: messageOf(error) }
  }
}

async function resolveImages(inputs: BuildInputs, source: Source, registry: Registry): Promise<readonly BaseImage[]> {
  const found = externalImages(source.dockerfile, buildOptions(inputs))
  const names = [...new Set(found.map(({ reference }) => reference))]
  const overrides = new Map([...inputs.buildContexts].map(([name, value]) => [normalName(name), value]))
  const images = names.map(async (name): Promise<BaseImage | undefined> => {
    const override = overrides.get(normalName(name))
    // A context that is a folder is hashed as one; it is no image.
    if (override !== undefined && !override.startsWith(IMAGE_CONTEXT)) return undefined
    const reference = toReference(override?.slice(IMAGE_CONTEXT.length) ?? name)
    return { name, reference, digest: await digestNow(reference, registry) }
  })
  return (await Promise.all(images)).filter((image) => image !== undefined)
}

async function hashNamedContexts(inputs: BuildInputs, registry: Registry): Promise<ReadonlyMap<string, Digest>> {
  const hashes = [...inputs.buildContexts].map(async ([name, value]): Promise<[string, Digest]> => {
    if (value.startsWith(IMAGE_CONTEXT))
      return [name, await digestNow(toReference(value.slice(IMAGE_CONTEXT.length)), registry)]
    if (/^[a-z-]+:|^git@/.test(value)) throw new Error(`the named context ${name} is not a folder or an image`)
    const ignored = await readFile(join(value, '.dockerignore'), 'utf8').catch(() => '')
    return [name, (await hashContext(resolve(value), ignored)).digest]
  })
  return new Map(await Promise.all(hashes))
}

async function digestNow(reference: ImageReference, registry: Registry): Promise<Digest> {
  const digest = reference.digest ?? (await registry.head(reference))?.digest
  if (digest === undefined) throw new Error(`${familiarReference(reference)} is not in its registry`)
  return digest
}

const IMAGE_CONTEXT = 'docker-image://'

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
