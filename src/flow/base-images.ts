import type { BaseImage, BuildOptions } from '../dockerfile/dockerfile.ts'
import { needsFiles } from '../dockerfile/needs-files.ts'
import { resolveStages } from '../dockerfile/stage-graph.ts'
import type { BaseFiles } from '../image/base-files.ts'
import { baseLibc } from '../image/base-libc.ts'
import { type FoundImage, imageConfig } from '../registry/image-config.ts'
import { parsePlatform } from '../registry/platform.ts'
import { formatReference, type ImageReference, withDigest } from '../registry/reference.ts'
import type { Descriptor, Registry } from '../registry/registry.ts'
import type { Content } from './content.ts'
import { nativePlatform, type Source } from './source.ts'

/** A base image's configuration with what it tells of its making. */
export interface KnownBase extends BaseImage {
  readonly history: readonly string[]
  /** What its files tell, where that was asked for. */
  readonly files?: BaseFiles | undefined
  /** As FROM names it, build arguments filled in. */
  readonly name: string
  /** The image that stands for the name, by digest. */
  readonly pinned: string
  /** Its configuration as it is in the registry. */
  readonly configJson: unknown
  /** The platform's own manifest. */
  readonly reference: ImageReference
  /** Bottom first. */
  readonly layers: readonly Descriptor[]
  /** Digests of the layers' uncompressed tars. */
  readonly diffIds: readonly string[]
}

/** Configurations of the images that stages stand on. */
export interface BaseImages {
  /** By the reference in FROM. Of an unknown image nothing is known, so its environment is empty. */
  readonly byReference: (reference: string) => BaseImage
  /** The image that a stage stands on, through other stages; undefined when its configuration can't be had. */
  readonly rootOf: (stage: number) => KnownBase | undefined
}

/**
 * Reads the configurations of all base images of one platform at once. One that can't be read is left out.
 * @param filesOf reads what an image's files tell; asked where the Dockerfile can't be understood without
 */
export async function readBaseImages(
  source: Source,
  content: Content,
  options: BuildOptions,
  registry: Registry,
  filesOf: (base: KnownBase) => Promise<BaseFiles | undefined>,
): Promise<BaseImages> {
  const { stages } = resolveStages(source.dockerfile, options)
  const platform = parsePlatform(options.platform ?? nativePlatform())
  const roots = new Set(stages.flatMap(({ base }) => (base.kind === 'image' ? [base.reference] : [])))
  const wanted = typeof platform === 'string' ? [] : content.images.filter(({ name }) => roots.has(name))
  const read = wanted.map(async ({ name, reference, digest }): Promise<[string, KnownBase] | undefined> => {
    if (typeof platform === 'string') return undefined
    const pinned = withDigest(reference, digest)
    const found = await imageConfig(registry, pinned, platform).catch(() => undefined)
    if (found?.kind !== 'found') return undefined
    const base = knownBase(name, pinned, found)
    return [name, needsFiles(source.dockerfile, options, base) ? withFiles(base, await filesOf(base)) : base]
  })
  const known = new Map((await Promise.all(read)).filter((entry) => entry !== undefined))
  const rootOf = (stage: number): KnownBase | undefined => {
    const base = stages[stage]?.base
    if (base?.kind === 'stage') return rootOf(base.index)
    return base?.kind === 'image' ? known.get(base.reference) : undefined
  }
  return { byReference: (reference) => known.get(reference) ?? { env: {} }, rootOf }
}

function withFiles(base: KnownBase, files: BaseFiles | undefined): KnownBase {
  if (files === undefined) return base
  const { places, python } = files
  return { ...base, files, places, python: python.kind === 'found' ? python.version : undefined }
}

function knownBase(name: string, pinned: ImageReference, found: FoundImage): KnownBase {
  const { config, configJson, layers, digest } = found
  const env = config.env.map((entry): [string, string] => {
    const at = entry.indexOf('=')
    return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
  })
  return {
    env: Object.fromEntries(env),
    user: config.user,
    workingDir: config.workingDir,
    shell: config.shell.length === 0 ? undefined : config.shell,
    onBuild: config.onBuild,
    libc: baseLibc(config.history),
    history: config.history,
    name,
    pinned: formatReference(pinned),
    configJson,
    reference: withDigest(pinned, digest),
    layers,
    diffIds: config.diffIds,
  }
}
