import {
  dependencyStage,
  dependencyStageName,
  environmentStage,
  environmentStageName,
  FILE_TIME,
  type InstallerSurroundings,
  type StageLayers,
} from './dependency-stage.ts'
import { foldersStage, foldersStageName, type OwnedLayers } from './owned-layers.ts'
import { beforeStageName } from './split-stage.ts'

/** Layers with the names of the stages that make them, bottom first. */
export interface NamedLayers {
  readonly layers: StageLayers
  readonly names: readonly string[]
}

/** Stands above our stages. */
export const INTRO = '# image-cache: one stage for each layer of dependencies'

/**
 * The stages of layers that belong to another user than root: they stand between what the stage is before its installs, which
 * tells whose they are, and the rest of it.
 */
export function ownedStages(
  entry: StageLayers,
  slots: Map<number, number>,
  options: InstallerSurroundings,
): { readonly named: NamedLayers; readonly between: readonly string[] } {
  const between: string[] = []
  const own = { owner: entry.owner ?? '', before: beforeStageName(entry.stage) }
  const { layers, names } = nameStages(entry, between, slots, options, own)
  const [first = '', ...more] = [...between, foldersStage(entry, own, FILE_TIME)]
  return {
    named: { layers, names: [...names, foldersStageName(entry.stage)] },
    between: [`${INTRO}\n${first}`, ...more],
  }
}

/** A step that stays is run where it stands, as a whole. */
export function splitting({ stage, steps, way }: StageLayers): Pick<StageLayers, 'stage' | 'steps'> {
  return { stage, steps: way === 'seed' ? steps.map((step) => ({ ...step, remainder: undefined })) : steps }
}

/** Writes the stages of a set of layers and answers their names, the environment's own first. */
export function nameStages(
  entry: StageLayers,
  stages: string[],
  slots: Map<number, number>,
  options: InstallerSurroundings,
  owned?: OwnedLayers,
): NamedLayers {
  const names: string[] = []
  if (entry.skeleton !== undefined) {
    const name = environmentStageName(entry.stage)
    stages.push(environmentStage(entry, entry.skeleton, name, 'layer-folder', owned))
    names.push(name)
  }
  for (const group of entry.plan.groups) {
    const slot = (slots.get(entry.stage) ?? 0) + 1
    slots.set(entry.stage, slot)
    const name = dependencyStageName(entry.stage, slot)
    stages.push(dependencyStage(entry, group, name, options, 'layer-folder', owned))
    names.push(name)
  }
  return { layers: entry, names }
}
