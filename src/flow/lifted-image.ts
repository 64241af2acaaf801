import type { Builder } from '../buildx/builder.ts'
import { isAtLeast } from '../buildx/publish-plan.ts'
import type { LiftOptions } from '../dockerfile/lift-workdirs.ts'
import { resolveStages } from '../dockerfile/stage-graph.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { familiarReference, parseReference } from '../registry/reference.ts'
import type { BaseImages, KnownBase } from './base-images.ts'
import { buildOptions, nativePlatform, type Source } from './source.ts'

/** An image whose configuration comes from us and no longer from the Dockerfile that is built. */
export interface LiftedImage {
  /** JSON, for the exporter. */
  readonly config: string
  /** The user's named contexts, and the base pinned to the digest that the configuration was made from. */
  readonly buildContexts: ReadonlyMap<string, string>
}

/** What the target stage stands on, when WORKDIR may be lifted out of it. */
export interface LiftableTarget {
  readonly options: LiftOptions
  readonly root: KnownBase
}

/** BuildKit from this version on is known to let an output's attributes replace the configuration. */
const CONFIG_SINCE = [0, 27] as const

/**
 * Whether the image may get a configuration of ours: one platform that we know, outputs of ours alone, a builder that is
 * known to take it, and nothing that changes labels or stages behind our back.
 */
export function liftableTarget(
  inputs: BuildInputs,
  source: Source,
  images: BaseImages,
  builder: Builder,
  env: Readonly<Record<string, string | undefined>>,
): LiftableTarget | undefined {
  if (inputs.outputs.length > 0 || !(inputs.push || inputs.load) || inputs.platforms.length > 1) return undefined
  if (builder.driver === 'docker' || !isAtLeast(builder.buildkit ?? '', CONFIG_SINCE)) return undefined
  if (inputs.platforms.length === 0 && builder.platforms[0] !== nativePlatform()) return undefined
  // Buildx then adds labels of its own.
  if (env.BUILDX_GIT_LABELS) return undefined
  const names = new Set([...inputs.buildContexts.keys()].map((name) => name.toLowerCase()))
  if (source.dockerfile.stages.some(({ name }) => name !== undefined && names.has(name))) return undefined
  const root = images.rootOf(resolveStages(source.dockerfile, buildOptions(inputs)).target)
  return root && { root, options: { baseConfig: root.configJson, labels: inputs.labels } }
}

/** The image with its base pinned: a base that moves between now and the build would not fit its configuration. */
export function liftedImage(config: string, inputs: BuildInputs, root: KnownBase): LiftedImage {
  return { config, buildContexts: liftedContexts(inputs, root) }
}

/** The user's named contexts with one more, which pins the base image to the digest that is known. */
export function liftedContexts({ buildContexts }: BuildInputs, root: KnownBase): ReadonlyMap<string, string> {
  const reference = parseReference(root.name)
  if (typeof reference !== 'string' && reference.digest !== undefined) return buildContexts
  const others = [...buildContexts].filter(([name]) => normalName(name) !== normalName(root.name))
  return new Map([...others, [root.name, `docker-image://${root.pinned}`]])
}

function normalName(name: string): string {
  const reference = parseReference(name)
  return typeof reference === 'string' ? name : familiarReference(reference)
}
