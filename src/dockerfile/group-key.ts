import type { Digest } from '../base/digest.ts'
import { keyHash } from '../base/key-hash.ts'
import type { LayerGroup } from '../layers/layer-plan.ts'
import type { IndexSettings } from '../python/resolution.ts'
import type { EnvironmentSkeleton, StageLayers } from './dependency-stage.ts'
import { groupStage } from './render-composed.ts'

/** What decides a layer's bytes besides what is installed or copied. */
export interface LayerForm {
  readonly compression: string
  readonly salt: string
}

/** Hashes decide the files, whichever index they come from. */
const ANY_INDEX: IndexSettings = { indexUrl: undefined, extraIndexUrls: [], findLinks: [], preReleases: false }

/**
 * The content key of a group's layer: everything that decides its bytes, and nothing else. That is the recipe with its
 * pinned and hashed lines and its target path, the installer image by digest (and with it the exact Python), the
 * platform and the compression. The recipe is hashed as it will run, so that a changed recipe needs no version number.
 * Neither the index that the wheels come from nor the host that has the installer image is in it: images of one
 * organisation share groups whatever mirrors they use.
 */
export function groupKey(
  layers: StageLayers,
  group: LayerGroup,
  { compression, salt }: LayerForm,
  skeleton?: EnvironmentSkeleton,
): Digest {
  const installerImage = layers.installerImage.replace(/^.*@/, '')
  const any = { ...layers, installerImage, settings: ANY_INDEX }
  const recipe = groupStage({ layers: any, group, name: 'group', skeleton }, {})
  return keyHash({ kind: 'group', recipe, platform: layers.platform, compression, salt })
}
