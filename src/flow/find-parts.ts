import { confirmLayer, findGroup, type LayerFinding } from '../assemble/find-layers.ts'
import type { KeptLayer } from '../assemble/kept-layer.ts'
import { type Digest, hexOf } from '../base/digest.ts'
import type { Deps } from '../deps.ts'
import type { ComposedPart } from '../dockerfile/composed-part.ts'
import type { BuildInputs } from '../inputs/build-inputs.ts'
import type { ComposedChoice } from './choose-assembly.ts'
import { recallLayers } from './layer-memory.ts'

/** What is there of an image's parts. */
export interface FoundParts {
  readonly layers: ReadonlyMap<ComposedPart, KeptLayer>
  /** Parts that could not be asked for, with the reason: they are built. */
  readonly unknown: readonly string[]
}

/**
 * Asks which parts of the image are kept already: the store's note on the last image first, each layer of it confirmed
 * by the registry, then groups by their tags. One request for each part, all at the same time.
 */
export async function findParts(
  keys: ReadonlyMap<ComposedPart, Digest>,
  choice: ComposedChoice,
  inputs: BuildInputs,
  deps: Deps,
): Promise<FoundParts> {
  if (inputs.noCache) return { layers: new Map(), unknown: [] }
  const { registry, store } = deps
  const remembered = await recallLayers(inputs, choice.repository, store)
  const ask = async (part: ComposedPart, key: Digest): Promise<LayerFinding> => {
    const layer = remembered.get(hexOf(key))
    const repository = part.kind === 'group' ? choice.layersRepository : choice.repository
    const confirmed = layer === undefined ? undefined : await confirmLayer(registry, repository, layer)
    if (confirmed?.kind === 'found') return confirmed
    return part.kind === 'group' ? findGroup(registry, repository, key) : { kind: 'missing' }
  }
  const findings = await Promise.all([...keys].map(async ([part, key]) => [part, await ask(part, key)] as const))
  return {
    layers: new Map(
      findings.flatMap(([part, found]) => (found.kind === 'found' ? [[part, found.layer] as const] : [])),
    ),
    unknown: [...new Set(findings.flatMap(([, found]) => (found.kind === 'unknown' ? [found.reason] : [])))],
  }
}
