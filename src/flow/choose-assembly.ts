import { type AttestationChoice, attestationChoice } from '../assemble/attestation-choice.ts'
import { keptLayers } from '../assemble/built-layers.ts'
import { attestedProvenance } from '../buildx/attested-provenance.ts'
import { decidingOptions } from '../buildx/builder-options.ts'
import { splitFields } from '../buildx/option-fields.ts'
import type { Deps } from '../deps.ts'
import { type ComposedPlan, planComposed } from '../dockerfile/composed-plan.ts'
import type { StageLayers } from '../dockerfile/dependency-stage.ts'
import type { BuildView } from '../dockerfile/dockerfile.ts'
import { stageConfig } from '../dockerfile/stage-config.ts'
import { resolveStages } from '../dockerfile/stage-graph.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { RepositoryName } from '../registry/reference.ts'
import type { BaseImages, KnownBase } from './base-images.ts'
import { repositoriesOf } from './find-image.ts'
import { buildOptions, type Source } from './source.ts'

/** An image that can be put together in the registry. */
export interface ComposedChoice {
  readonly way: 'composed'
  readonly reason: string
  readonly plan: ComposedPlan
  /** The image at the bottom. */
  readonly root: KnownBase
  readonly view: BuildView
  readonly attestations: Extract<AttestationChoice, { kind: 'own' }>
  /** Where the layers of dependencies are kept. */
  readonly layersRepository: RepositoryName
  /** The first repository of the tags. */
  readonly repository: RepositoryName
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
  images: BaseImages,
  view: BuildView,
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
    env.BUILDX_NO_DEFAULT_ATTESTATIONS !== '1' && env.BUILDX_NO_DEFAULT_ATTESTATIONS !== 'true',
  )
  if (attestations.kind === 'refused') return linked(attestations.reason)
  const root = images.rootOf(resolveStages(source.dockerfile, buildOptions(inputs)).target)
  if (root === undefined) return linked('the configuration of the base image is not known')
  const kept = keptLayers(root.layers, root.diffIds)
  if (typeof kept === 'string') return linked(`the base image can't be built upon: ${kept}`)
  const plan = planComposed(source.dockerfile, layers, view)
  if ('reason' in plan) return linked(plan.reason)
  const config = stageConfig(source.dockerfile, view, root.configJson, inputs.labels, plan.history, plan.below)
  if (config.kind === 'unknown') return linked(`its configuration can't be told beforehand: ${config.reason}`)
  const reason = 'put together in the registry from layers that are built or kept one by one'
  const layersRepository = inputs.layersRepository ?? repository
  return { way: 'composed', reason, plan, root, view, attestations, layersRepository, repository }
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
  if (inputs.platforms.length > 1) return 'the build is for several platforms at once'
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
