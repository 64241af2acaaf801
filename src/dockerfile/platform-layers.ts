import type { StageLayers } from './dependency-stage.ts'

/**
 * What layers for several platforms are on one of them. A group has the same place on each, and no packages where the
 * platform takes none of them.
 * @param platform `linux/arm64`
 */
export function platformLayers(layers: StageLayers, platform: string): StageLayers {
  const { morePlatforms, ...own } = layers
  if (morePlatforms === undefined) return layers
  const groups = layers.plan.groups.map((group) => ({
    ...group,
    packages: group.packages.flatMap(({ onPlatforms }) => onPlatforms?.get(platform) ?? []),
  }))
  return { ...own, platform, plan: { ...layers.plan, groups } }
}
