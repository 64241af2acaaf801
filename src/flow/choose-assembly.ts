import { type AttestationChoice, attestationChoice } from '../assemble/attestation-choice.ts'
import { keptLayers } from '../assemble/built-layers.ts'
import { goFlag } from '../base/go-flag.ts'
import { attestedProvenance } from '../buildx/attested-provenance.ts'
import { decidingOptions } from '../buildx/builder-options.ts'
import { splitFields } from '../buildx/option-fields.ts'
import type { Deps } from '../deps.ts'
import type { ComposedPart } from '../dockerfile/composed-part.ts'
import { type ComposedPlan, planComposed } from '../dockerfile/composed-plan.ts'
import type { StageLayers } from '../dockerfile/dependency-stage.ts'
import type { BuildView } from '../dockerfile/dockerfile.ts'
import { platformLayers } from '../dockerfile/platform-layers.ts'
import { stageConfig } from '../dockerfile/stage-config.ts'
import { resolveStages } from '../dockerfile/stage-graph.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import { type Platform, parsePlatform } from '../registry/platform.ts'
import type { RepositoryName } from '../registry/reference.ts'
import type { KnownBase } from './base-images.ts'
import { repositoriesOf } from './find-image.ts'
import type { PlatformView } from './lock-platforms.ts'
import type { Source } from './source.ts'

/** What the image of one platform is put together of. */
export interface ComposedPlatform {
  /** `linux/arm64` */
  readonly platform: Platform
  readonly plan: ComposedPlan
  /** The image at the bottom. */
  readonly root: KnownBase
  readonly view: BuildView
}

/** An image that can be put together in the registry. */
export interface ComposedChoice {
  readonly way: 'composed'
  readonly reason: string
  /** One for each platform of the build, in its order. */
  readonly images: readonly ComposedPlatform[]
  readonly attestations: Extract<AttestationChoice, { kind: 'own' }>
  /** Where the layers of dependencies are kept. */
  readonly layersRepository: RepositoryName
  /** The first repository of the tags. */
  readonly repository: RepositoryName
}

/** The parts of all platforms. */
export function partsOf({ images }: ComposedChoice): readonly ComposedPart[] {
  return images.flatMap(({ plan }) => plan.parts)
}

/** How layers of dependencies become part of the image, and why. */
export type AssemblyChoice = ComposedChoice | { readonly way: 'linked' | 'chain'; readonly reason: string }

/**
 * Chooses for this build: composed where the image goes to one registry and no step must run on top of the dependencies,
 * else linked.
 */
export function chooseAssembly(
  inputs: BuildInputs,
  source: Source,
  platforms: readonly PlatformView[],
  layers: readonly StageLayers[],
  { env, context }: Pick<Deps, 'env' | 'context'>,
): AssemblyChoice {
  if (inputs.assemble === 'linked' || inputs.assemble === 'chain') {
    return { way: inputs.assemble, reason: `assemble: ${inputs.assemble}` }
  }
  const linked = (why: string): AssemblyChoice => ({ way: 'linked', reason: `not composed: ${why}` })
  const [repository] = repositoriesOf(inputs)
  const obstacle = inputObstacle(inputs, source, env)
  if (repository === undefined || obstacle !== undefined) return linked(obstacle ?? 'the image has no name')
  const attestations = attestationChoice(
    fieldsOf(attestedProvenance(inputs, env, context)),
    fieldsOf(inputs.sbom),
    goFlag(env.BUILDX_NO_DEFAULT_ATTESTATIONS) !== true,
  )
  if (attestations.kind === 'refused') return linked(attestations.reason)
  const images: ComposedPlatform[] = []
  for (const one of platforms) {
    const image = composedPlatform(inputs, source, one, layers)
    if (typeof image === 'string') return linked(platforms.length === 1 ? image : `${image} (${one.platform})`)
    images.push(image)
  }
  const reason = 'put together in the registry from layers that are built or kept one by one'
  return {
    way: 'composed',
    reason,
    images,
    attestations,
    layersRepository: inputs.layersRepository ?? repository,
    repository,
  }
}

/** @returns a text says why it can't be put together */
function composedPlatform(
  inputs: BuildInputs,
  { dockerfile }: Source,
  { platform: name, view, images }: PlatformView,
  layers: readonly StageLayers[],
): ComposedPlatform | string {
  const platform = parsePlatform(name)
  if (typeof platform === 'string') return platform
  const root = images.rootOf(resolveStages(dockerfile, view).target)
  if (root === undefined) return 'the configuration of the base image is not known'
  const kept = keptLayers(root.layers, root.diffIds)
  if (typeof kept === 'string') return `the base image can't be built upon: ${kept}`
  const own = layers.map((one) => platformLayers(one, name))
  const plan = planComposed(dockerfile, own, view)
  if ('reason' in plan) return plan.reason
  const config = stageConfig(dockerfile, view, root.configJson, inputs.labels, plan.history, plan.below)
  if (config.kind === 'unknown') return `its configuration can't be told beforehand: ${config.reason}`
  return { platform, plan, root, view }
}

/** What in the inputs only a builder can do. */
function inputObstacle(
  inputs: BuildInputs,
  source: Source,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (!inputs.push) return 'the image is not pushed'
  if (inputs.load) return 'the image is loaded into Docker, too'
  if (inputs.outputs.length > 0) return 'the image goes to other outputs, too'
  if (inputs.annotations.length > 0) return 'the builder writes the annotations'
  if (inputs.buildRecord) return 'only a build as a whole has a record'
  if (decidingOptions(inputs.builderOptions) !== undefined) return 'options for the builder are given'
  const registries = new Set(
    [...inputs.tags, ...(inputs.layersRepository ? [inputs.layersRepository] : [])].map(({ registry }) => registry),
  )
  if (registries.size > 1) return `tags and layers are on several registries: ${[...registries].join(', ')}`
  if (inputs.cacheTo.kind === 'given' && inputs.cacheTo.options.some(({ type }) => type === 'inline'))
    return 'an inline cache lies in what the builder exports'
  const special = ['BUILDX_GIT_LABELS', 'SOURCE_DATE_EPOCH'].find((name) => env[name])
  if (special !== undefined) return `${special} changes how the builder makes the image`
  const names = new Set([...inputs.buildContexts.keys()].map((name) => name.toLowerCase()))
  const replaced = source.dockerfile.stages.find(({ name }) => name !== undefined && names.has(name))
  return replaced && `a named context stands in the place of the stage ${replaced.name}`
}

function fieldsOf(text: string | undefined): ReadonlyMap<string, string> | undefined {
  const fields = text === undefined ? undefined : splitFields(text)
  // What can't be read is left to buildx to refuse.
  return typeof fields === 'string' ? new Map([['unreadable', fields]]) : fields
}
